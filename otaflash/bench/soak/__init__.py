"""`bench soak`: whole updates under faults drawn from a seed, through the real engine and core, judged from outside.

`drawing` makes a `scenario` of a seed, `running` lives it in a world, `judging` says what was wrong, `shrinking` makes
it small, `many` does so for thousands of seeds. Nothing here prints.
"""
