"""One small picture in each format: 16 by 8 pixels, the left half blue, the right half yellow.

Encoded once and kept here, so that a bundle is checked with what other programs made.
"""

from __future__ import annotations

PICTURES = {
    "PNG": (
        "iVBORw0KGgoAAAANSUhEUgAAABAAAAAICAIAAAB/FOjAAAAACXBIWXMAAA7EAAAOxAGVKw4bAAAAHElE"
        "QVQY02OUizrBgA1civLBKs7EQCIY1UAMAAAO8ALI8SSuwQAAAABJRU5ErkJggg==",
        0,
    ),
    "JPEG": (
        "/9j/4AAQSkZJRgABAQEAYABgAAD/2wBDAAIBAQEBAQIBAQECAgICAgQDAgICAgUEBAMEBgUGBgYFBgYG"
        "BwkIBgcJBwYGCAsICQoKCgoKBggLDAsKDAkKCgr/2wBDAQICAgICAgUDAwUKBwYHCgoKCgoKCgoKCgoK"
        "CgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgoKCgr/wAARCAAIABADAREAAhEBAxEB/8QA"
        "HwAAAQUBAQEBAQEAAAAAAAAAAAECAwQFBgcICQoL/8QAtRAAAgEDAwIEAwUFBAQAAAF9AQIDAAQRBRIh"
        "MUEGE1FhByJxFDKBkaEII0KxwRVS0fAkM2JyggkKFhcYGRolJicoKSo0NTY3ODk6Q0RFRkdISUpTVFVW"
        "V1hZWmNkZWZnaGlqc3R1dnd4eXqDhIWGh4iJipKTlJWWl5iZmqKjpKWmp6ipqrKztLW2t7i5usLDxMXG"
        "x8jJytLT1NXW19jZ2uHi4+Tl5ufo6erx8vP09fb3+Pn6/8QAHwEAAwEBAQEBAQEBAQAAAAAAAAECAwQF"
        "BgcICQoL/8QAtREAAgECBAQDBAcFBAQAAQJ3AAECAxEEBSExBhJBUQdhcRMiMoEIFEKRobHBCSMzUvAV"
        "YnLRChYkNOEl8RcYGRomJygpKjU2Nzg5OkNERUZHSElKU1RVVldYWVpjZGVmZ2hpanN0dXZ3eHl6goOE"
        "hYaHiImKkpOUlZaXmJmaoqOkpaanqKmqsrO0tba3uLm6wsPExcbHyMnK0tPU1dbX2Nna4uPk5ebn6Onq"
        "8vP09fb3+Pn6/9oADAMBAAIRAxEAPwD5Tr/QQ/mM/Xyv+ZM/1IP/2Q==",
        40,
    ),
    "GIF": (
        "R0lGODlhEAAIAIAAAB5ayPC0FCwAAAAAEAAIAAACSQQIECDAhAkTJgQIECDAhAkTJgQIECDAhAkTJgQI"
        "ECDAhAkTJgQIECDAhAkTJgQIECDAhAkTJgQIECDAhAkTJgQIECDAhAkTJgUAOw==",
        0,
    ),
    "WEBP": (
        "UklGRkIAAABXRUJQVlA4IDYAAAAwAgCdASoQAAgAAIAIJaACdLoB+AH6AAYeAAD8e//9/+u//KkECai6"
        "/+/o//0TPPbld/6soAA=",
        40,
    ),
    "SVG": (
        "PHN2ZyB4bWxucz0iaHR0cDovL3d3dy53My5vcmcvMjAwMC9zdmciIHdpZHRoPSIxNiIgaGVpZ2h0PSI4"
        "Ij48cGF0aCBmaWxsPSIjMWU1YWM4IiBkPSJNMCAwaDh2OEgweiIvPjxwYXRoIGZpbGw9IiNmMGI0MTQi"
        "IGQ9Ik04IDBoOHY4SDh6Ii8+PC9zdmc+",
        6,
    ),
}
"""The picture in base64, and how far a colour may be off."""
