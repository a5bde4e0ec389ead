"""Diseases and drugs as a config holds them: names with amounts, and definitions of a user's own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from nmjmc.errors import ValidationError, similar
from nmjmc.junction.recipe import read_own, refuse_taken
from nmjmc.junction.treatment import Treatment
from nmjmc.pathology import DISEASES, disease, read_disease
from nmjmc.pharmacology import DRUGS, WITH_EXPOSURE, drug, read_drug
from nmjmc.pharmacology.constants import HALF
from nmjmc.units import to_text

KINDS: dict[str, Mapping[str, Any]] = {"pathology": DISEASES, "drug": DRUGS}
EXAMPLES = {"pathology": "pathology=myasthenia_gravis:0.6", "drug": 'drug=pyridostigmine:"1 uM"'}
AMOUNTS = {"pathology": "severity", "drug": "dose"}
NOTHING = ("", "none", "null", "healthy")
"""Words for no disease and no drug."""
_READERS: dict[str, Callable[[Mapping[str, Any], str], Any]] = {"pathology": read_disease, "drug": read_drug}


def amounts_in(kind: str, words: str) -> dict[str, str]:
    """Names with their amounts, as text: of `myasthenia_gravis:0.6+ageing:0.5`; empty where none is told.

    Args:
        kind: `pathology` or `drug`.
        words: What a user wrote.

    Raises:
        ValidationError: For a name that stands twice.
    """
    by_name: dict[str, str] = {}
    for part in words.split("+"):
        name, _, amount = (text.strip().strip("\"'") for text in part.partition(":"))
        if name in by_name:
            hint = f"give it once with the full {AMOUNTS[kind]}"
            raise ValidationError(f"{kind}.{name}", "applied twice", "applied once", hint)
        by_name[name] = amount
    return by_name


def with_amounts(kind: str, found: Mapping[str, str]) -> dict[str, str]:
    """The same where a disease without a severity has 1; a drug without a dose is refused.

    Raises:
        ValidationError: Naming the drug.
    """
    for name, amount in found.items():
        if not amount and kind == "drug":
            hint = f'for example drug={name}:"1 uM"'
            raise ValidationError(f"drug.{name}", "without a dose", "given with a dose", hint)
    return {name: amount or "1" for name, amount in found.items()}


def named(
    kind: str, texts: Sequence[str], own: Mapping[str, Any], amount: str | None = None
) -> dict[str, Any]:
    """One or several texts `a:x+b:y` as names with their amounts.

    Args:
        kind: `pathology` or `drug`.
        texts: What a user wrote.
        own: A user's own definitions.
        amount: Of the only one, where it is told apart.

    Raises:
        ValidationError: For a name that is unknown or given twice, a drug without a dose, or an amount of several.
    """
    field = f"{kind}.{AMOUNTS[kind]}"
    if not texts:
        raise ValidationError(field, amount, f"given with a {kind}", EXAMPLES[kind])
    for text in texts:
        if "," in text:
            hint = f"did you mean {kind}={text.replace(' ', '').replace(',', '+')}?"
            raise ValidationError(kind, repr(text), "several names joined by +", hint)
    actual = amounts_in(kind, "+".join(texts))
    for name in actual:
        check_name(kind, name, own=own)
    if amount is not None:
        if len(actual) > 1:
            hint = f"write {kind}=NAME:{AMOUNTS[kind].upper()}+NAME:{AMOUNTS[kind].upper()}"
            raise ValidationError(field, amount, "given for a single one", hint)
        actual = dict.fromkeys(actual, amount)
    return with_amounts(kind, actual)


def definition_in(path: str, kind: str, others: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """The name and the definition of a disease or a drug in a user's file.

    Args:
        path: The file.
        kind: `pathology` or `drug`.
        others: Definitions that there are already.

    Raises:
        ValidationError: For a file that cannot be right, or a name that is taken.
    """
    name, given = read_own(path, kind)
    refuse_taken(name, kind, KINDS[kind] if others.get(name, given) == given else others)
    _READERS[kind](given, name)
    return name, dict(given)


def definitions_of(config: Mapping[str, Any]) -> Mapping[str, Any]:
    """A user's own diseases and drugs in a config.

    Raises:
        ValidationError: If they are no mapping, or have the name of another.
    """
    definitions = config.get("definitions") or {}
    if not isinstance(definitions, Mapping):
        hint = "pathology=FILE.yaml:0.5 makes one"
        raise ValidationError("definitions", repr(definitions), "a mapping of names", hint)
    for name, given in definitions.items():
        kind = given.get("kind") if isinstance(given, Mapping) else None
        if kind not in KINDS:
            raise ValidationError(f"definitions.{name}.kind", repr(kind), "pathology or drug")
        if name in KINDS[kind]:
            raise ValidationError(f"definitions.{name}", "taken", "a name of its own")
        _READERS[kind](given, str(name))
    return definitions


def check_name(kind: str, name: str, field: str = "", own: Mapping[str, Any] | None = None) -> None:
    """Refuse a disease or a drug that does not exist.

    Args:
        kind: `pathology` or `drug`.
        name: Its name.
        field: The setting that names it, if not the kind.
        own: A user's own definitions.

    Raises:
        ValidationError: With the nearest name.
    """
    if name not in KINDS[kind] and _definition(name, own or {}, kind) is None:
        article = "a known disease" if kind == "pathology" else "a known drug"
        raise ValidationError(field or kind, repr(name), article, similar(name, KINDS[kind]))


def treatments_of(config: Mapping[str, Any]) -> tuple[Treatment, ...]:
    """The diseases and drugs of a plain config, diseases first.

    Args:
        config: With `pathology` and `drug`, names with their amounts; `definitions`; and `exposure`.

    Raises:
        ValidationError: For an unknown name, a severity or a dose that cannot be right.
    """
    own = definitions_of(config)
    given = {kind: _given(kind, config, own) for kind in KINDS}
    diseases = [
        disease(name, severity, definition=_definition(name, own, "pathology"))
        for name, severity in given["pathology"].items()
    ]
    return (*diseases, *(agent(name, config)(dose) for name, dose in given["drug"].items()))


def _given(kind: str, config: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, Any]:
    """Names with their amounts."""
    values = config.get(kind) or {}
    if not isinstance(values, Mapping):
        hint = f"for example {EXAMPLES[kind]}"
        raise ValidationError(kind, repr(values), "names with their amounts", hint)
    by_name = {str(name): value for name, value in values.items() if value is not None}
    for name in by_name:
        check_name(kind, name, own=own)
    return by_name


def agent(name: str, config: Mapping[str, Any]) -> Callable[[Any], Treatment]:
    """A drug by its dose.

    Args:
        name: Of the drug.
        config: Where the time stands for which it has acted, and definitions of a user's own.

    Raises:
        ValidationError: If there is no such drug.
    """
    own = definitions_of(config)
    check_name("drug", name, own=own)
    if name in DRUGS:
        exposure = config.get("exposure") if name in WITH_EXPOSURE else None
        return lambda dose: drug(name, dose, exposure=exposure)
    return lambda dose: drug(name, dose, definition=_definition(name, own, "drug"))


def half(name: str, config: Mapping[str, Any]) -> float | None:
    """The concentration of which `doses=auto` takes multiples [uM]; None for a drug that has none."""
    definition = _definition(name, definitions_of(config), "drug")
    return HALF.get(name) if definition is None else read_drug(definition, name).half


def as_config(treatments: Iterable[Treatment]) -> dict[str, Any]:
    """The plain config from which `treatments_of` makes the same, empty for none."""
    given: dict[str, Any] = {}
    for one in treatments:
        amount = one.amount if one.kind == "pathology" else to_text(one.amount, "uM")
        given.setdefault(one.kind, {})[one.name] = amount
        if one.definition is not None:
            given.setdefault("definitions", {})[one.name] = {"kind": one.kind, **one.definition}
        if one.exposure is not None:
            given["exposure"] = to_text(one.exposure, "s")
    return given


def _definition(name: str, own: Mapping[str, Any], kind: str) -> Mapping[str, Any] | None:
    """A user's own definition; None where there is none of that name and kind."""
    given = own.get(name)
    if given is None or (isinstance(given, Mapping) and given.get("kind") not in (kind, None)):
        return None
    return given
