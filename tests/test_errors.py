"""The tree of errors is the one that its docstring draws."""

import builtins
import inspect
import re

from ngffseg import errors


def drawn():
    """Class: (parent, builtins), read from the docstring."""
    stack, found = [], {}
    for line in errors.__doc__.splitlines():
        match = re.match(r"^(\s+[│├└─ ]*)(\w+Error)(?: \((\w+)\))?", line)
        if not match:
            continue
        depth = len(match[1]) // 4
        stack = stack[: depth - 1]
        found[match[2]] = (stack[-1] if stack else None, match[3])
        stack.append(match[2])
    return found


def test_the_drawing_is_the_code():
    tree = drawn()
    classes = {n: c for n, c in vars(errors).items() if inspect.isclass(c)}
    assert set(tree) == set(classes)
    assert len(tree) == 13
    for name, (parent, builtin) in tree.items():
        bases = [base.__name__ for base in classes[name].__bases__]
        assert bases[0] == (parent or "Exception")
        assert bases[1:] == ([builtin] if builtin else [])
        assert builtin is None or issubclass(classes[name], getattr(builtins, builtin))
        assert classes[name].__doc__
