"""What of the fixture and of world.sql must reach no client.

Statements may hold a mark themselves, and get their own words back.
"""
import re

MARKS = re.compile(
    r"S3CR3T_\w+|PAYM_\w+|7777\d\d\.13|\b9\d\d-\d\d-\d{4}\b|u(?:user|xyzw)\d+@example|user\d+@example\.(?:com|org|net)|888[89]\d\d\.17|SKU-\d{4}"
    r"|MASK[XNR]_\w+|ROWF_\w+|5333435233545f|5041594d5f|s3cr3t_word|root:x:0:0|jwt_5f2a9c", re.I)
OPEN = {"905-35-0685"}  # in public.ssn_guess, which is open


def hidden(answer, statement):
    """The first mark in the answer that the statement does not hold; None."""
    lower = None
    for m in MARKS.finditer(answer):
        if m.group() in OPEN:
            continue
        lower = statement.lower() if lower is None else lower
        if m.group().lower() not in lower:
            return m.group()
    return None
