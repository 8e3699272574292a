"""The tree of errors is the one that its docstring draws."""

import builtins
import inspect
import pickle
import re

import pytest

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
    classes = {
        n: c for n, c in vars(errors).items() if inspect.isclass(c) and issubclass(c, errors.NgffsegError)
    }
    assert set(tree) == set(classes)
    assert len(tree) == 19
    for name, (parent, builtin) in tree.items():
        bases = [base.__name__ for base in classes[name].__bases__]
        assert bases[0] == (parent or "Exception")
        assert bases[1:] == ([builtin] if builtin else [])
        assert builtin is None or issubclass(classes[name], getattr(builtins, builtin))
        assert classes[name].__doc__


@pytest.mark.parametrize("name", sorted(drawn()))
def test_each_is_caught_as_what_is_drawn_and_crosses_processes(name):
    tree = drawn()
    ancestors, builtin = [name], tree[name][1]
    while tree[ancestors[-1]][0]:
        ancestors.append(tree[ancestors[-1]][0])
        builtin = builtin or tree[ancestors[-1]][1]
    for kind in [*(getattr(errors, a) for a in ancestors), getattr(builtins, builtin or "Exception")]:
        with pytest.raises(kind, match=r"^what, where, what to do$"):
            raise getattr(errors, name)("what, where, what to do")
    back = pickle.loads(pickle.dumps(getattr(errors, name)("what")))
    assert (type(back).__name__, str(back)) == (name, "what")


@pytest.mark.parametrize("name", sorted(drawn()))
def test_dask_brings_each_across(name):
    """tblib, by which dask sends exceptions, makes them without `__init__`."""
    from tblib import pickling_support

    error = getattr(errors, name)("what")
    pickling_support.install(error)
    back = pickle.loads(pickle.dumps(error))
    assert (type(back).__name__, str(back)) == (name, "what")


def test_strictness_crosses_processes():
    assert pickle.loads(pickle.dumps(errors.LossError("what", strict=True))).strict
    assert not errors.LossError("what").strict
