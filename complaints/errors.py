"""Every way the desk can say no. The class says what to do next; `key` names the sentence that the reader sees."""


class PlaintError(Exception):
    """Something was refused. `key` is a wording key, `values` fill its placeholders."""

    key = "error.refused"

    def __init__(self, detail: str = "", /, *, key: str | None = None, **values: str) -> None:
        super().__init__(detail or (self.__doc__ or "").partition("\n")[0])
        if key is not None:
            self.key = key
        self.values = values


class NotAllowed(PlaintError):
    """A person may not do that, or not now. Tell them why; nothing was changed."""

    key = "error.not_allowed"


class BadInput(PlaintError):
    """The value does not fit its field. Ask again with the field's own hint."""

    key = "error.bad_input"


class NotGenuine(PlaintError):
    """A delivery without a valid proof of its sender. Answer 403 and forget it."""


class Malformed(PlaintError):
    """A genuine delivery that cannot be read. Answer 400 and log it."""


class Unavailable(PlaintError):
    """Nothing can be written now. Answer 503: the sender will come again."""


class Misconfigured(PlaintError):
    """A setting or policy that cannot work. Every line of `problems` names one place and its cure; stop."""

    def __init__(self, *problems: str) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems
