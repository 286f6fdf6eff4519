"""Guards that watch every test: the loop, the needs of a test. Loaded by `tests/conftest.py`."""
