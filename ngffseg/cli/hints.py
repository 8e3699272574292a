"""What people can do about an error, in the words of the command line."""

from __future__ import annotations

from collections.abc import Iterable

from ngffseg.errors import Action, Hint

WORDS: dict[Action, str] = {
    "resume": "--resume",
    "begin anew": "without --resume",
    "overwrite": "overwrite it (--overwrite)",
    "lose": "without --strict",
    "rebuild": "ngffseg pyramid {url} --name {name}",
    "fix": "ngffseg check --fix {url}",
    "list labels": "ngffseg info {url}",
    "list segments": "ngffseg segments {url}",
    "give as image": "with --image",
    "crop": "--crop",
    "resample": "--resample nearest",
    "force place": "--force-place",
    "anonymous": "--anon (AWS_NO_SIGN_REQUEST=YES)",
    "endpoint": "AWS_ENDPOINT_URL (--endpoint-url)",
}


def worded(text: str, hints: Iterable[Hint]) -> str:
    """A message in which hints, that are worded for Python, are worded for the command line."""
    for hint in dict.fromkeys(hints):
        text = text.replace(str(hint), WORDS[hint.action].format(url=hint.url, name=hint.name))
    return text
