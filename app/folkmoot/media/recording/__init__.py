"""Recording a call: from decoded pictures and sounds to a file that plays whatever ends it.

Refuses to slow the call down: what comes is queued, and everything else happens in one thread.
"""
