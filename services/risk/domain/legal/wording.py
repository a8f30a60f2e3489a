"""The words of French judgments, understood.

The gazette's vocabulary is a list of natures that has grown since 2008, and free text beside it. The nature decides; the text
is read only where the nature says nothing ("Autre jugement …"), and then only for phrases that pronounce something, because
texts mention proceedings that they do not open. What is not understood changes nothing and asks for a reader.
"""

import re
import unicodedata

from services.risk.domain.legal.notices import Effect, LegalStatus, Ruling

_NEUTRAL = Ruling(Effect.NEUTRAL)
_UNREAD = Ruling(Effect.NEUTRAL, review=True)
#: Families that never say anything of proceedings. A sale carries both parties' numbers: neither is in trouble for it.
_SILENT = frozenset(("vente", "creation", "immatriculation", "modification", "dpc", "divers", "depot"))
_GENERIC = re.compile(
    r"(autre|nature inconnue|extrait de jugement$|jugement$|jugement prononcant$|ordonnance$|$)"
)
_KINDS = (
    ("liquidation", LegalStatus.LIQUIDATION),
    ("redressement judiciaire", LegalStatus.RECEIVERSHIP),
    ("redressement", LegalStatus.RECEIVERSHIP),
    ("sauvegarde", LegalStatus.SAFEGUARD),
    ("conciliation", LegalStatus.CONCILIATION),
    ("reglement judiciaire", LegalStatus.RECEIVERSHIP),
    ("sortie de crise", LegalStatus.OTHER_PROCEEDING),
    ("retablissement professionnel", LegalStatus.OTHER_PROCEEDING),
)
_KIND = "|".join(name for name, _ in _KINDS)
_PRONOUNCED = re.compile(
    rf"(?:ouverture|ouvrant|prononc\w+|convert\w+|conversion|extension|etendant)\b(?:[^.;]{{0,80}}?)\b({_KIND})"
)
_CONVERTED = re.compile(rf"conver\w+\b.{{0,80}}?\ben\b.{{0,40}}?({_KIND})")
_RESOLVED = re.compile(r"(?:resolution|resolvant|caducite|resiliation|fin) d\w*\s?(?:le |la )?plan")
_THEN = re.compile(rf"\bplan\b.*\b(?:et|puis|ouvrant|ouverture)\b.*?({_KIND})")
_REVERSED = re.compile(r"(infirm|retract|annul|reform)\w*")
_OVER = re.compile(
    r"(mettant fin|met fin|fin) (?:a|au|de) (?:la |l')?(?:procedure|sauvegarde|redressement|conciliation)"
    r"|(?:constatant|constate).{0,40}(?:execution|achevement|accomplissement).{0,12}plan"
    r"|plan.{0,40}(?:acheve|execute|totalement execute)"
)
_PLAN = re.compile(r"\bplan (?:de |du )?(redressement|continuation|sauvegarde)")
_WITHDRAWN_STRIKING_OFF = re.compile(
    r"rapport\w*.{0,40}radiation|radiation.{0,20}rapportee|annulation de la radiation"
)


def rule(family: str, judgment_family: str | None, nature: str | None, text: str | None = None) -> Ruling:
    """What a notice does. `family`, `judgment_family` and `nature` are BODACC's familleavis, jugement.famille and
    jugement.nature, `text` its complementJugement (for a striking-off: its comment)."""
    of, words = plain_words(family), plain_words(nature)
    if of.startswith("radiation"):
        withdrawn = _WITHDRAWN_STRIKING_OFF.search(f"{words} {plain_words(text)}")
        return _NEUTRAL if withdrawn else Ruling(Effect.STRIKES_OFF, LegalStatus.CEASED)
    if of in _SILENT:
        return _NEUTRAL
    if _GENERIC.match(words):
        return _from_text(plain_words(text), plain_words(judgment_family))
    return _from_nature(words, plain_words(judgment_family))


def plain_words(text: str | None) -> str:
    """Lower case, without accents, twisted encodings or doubled blanks. Text that is sound is not touched by the repair."""
    mended = mend(text or "").replace("’", "'").replace("\u00a0", " ")
    bare = "".join(c for c in unicodedata.normalize("NFKD", mended) if not unicodedata.combining(c))
    return re.sub(r"\s+", " ", bare).strip().lower()


def mend(text: str) -> str:
    """UTF-8 that was read as Windows-1252 ("clÃ´ture"), put right; anything else as it was."""
    if "Ã" not in text and "â€" not in text:
        return text
    try:
        return text.encode("cp1252").decode("utf-8")
    except UnicodeError:
        try:
            return text.encode("latin-1").decode("utf-8")
        except UnicodeError:
            return text


def _from_nature(words: str, judgment_family: str) -> Ruling:
    if re.search(r"\brejet|refus|non[- ]lieu|confirmant", words):
        return _UNREAD
    if judgment_family.startswith("avis de depot") or re.match(
        r"(depot|avis de depot|liste des creances)", words
    ):
        # Creditors' lists are deposited in proceedings that are under way, whether we saw them open or not.
        return Ruling(Effect.NEUTRAL, _kind(words) or LegalStatus.OTHER_PROCEEDING)
    if re.search(
        r"faillite personnelle|interdiction de gerer|cessation des paiements|simplifiee", words
    ) and not (re.search(r"ouverture|prononcant la liquidation|conversion", words)):
        return _NEUTRAL
    if _REVERSED.search(words):
        return Ruling(Effect.REVERSES, review=True)
    if re.search(r"reprise|reouverture", words) and "liquidation" in words:
        return Ruling(Effect.RESUMES, LegalStatus.LIQUIDATION)
    return _of_plans_and_ends(words) or _of_beginnings(words, judgment_family) or _UNREAD


def _of_plans_and_ends(words: str) -> Ruling | None:
    if _RESOLVED.search(words):
        then = _THEN.search(words)
        return Ruling(Effect.CONVERTS, _kind(then[1])) if then else Ruling(Effect.PLAN_FAILS, review=True)
    if "cloture" in words:
        return _closing(words)
    if _OVER.search(words):
        return Ruling(Effect.ENDS, _kind(words))
    if "plan de cession" in words:
        # The business is sold, by a court that has the company in receivership or in liquidation.
        return Ruling(Effect.NEUTRAL, LegalStatus.OTHER_PROCEEDING)
    plan = _PLAN.search(words)
    if plan:
        under = LegalStatus.SAFEGUARD if plan[1] == "sauvegarde" else LegalStatus.RECEIVERSHIP
        return Ruling(Effect.PLAN, under)
    return None


def _closing(words: str) -> Ruling:
    if "insuffisance" in words or "retablissement professionnel" in words:
        return Ruling(Effect.CLOSES)
    if re.search(r"extinction|execution|achevement|accord", words):
        return Ruling(Effect.ENDS)
    if "liquidation" in words:
        return Ruling(Effect.CLOSES, review=True)
    return Ruling(Effect.ENDS, _kind(words), review=True)


def _of_beginnings(words: str, judgment_family: str) -> Ruling | None:
    converted = _CONVERTED.search(words)
    if converted:
        return Ruling(Effect.CONVERTS, _kind(converted[1]))
    if "homologation" in words or "accord" in words:
        return Ruling(Effect.OPENS, LegalStatus.CONCILIATION)
    kind = _kind(words)
    opening = re.search(
        r"ouverture|ouvrant|prononc|extension|etendant|ordonnant", f"{words} {judgment_family}"
    )
    if kind and (opening or words.startswith(_KIND_STARTS)):
        return Ruling(Effect.OPENS, kind)
    return None


def _from_text(text: str, judgment_family: str) -> Ruling:
    if not text:
        return _UNREAD
    if _REVERSED.search(text) or re.search(r"\brejet|refus", text):
        return _UNREAD
    ending = _of_plans_and_ends(text)
    if ending and ending.effect is not Effect.NEUTRAL:
        return ending
    said = _CONVERTED.search(text) or _PRONOUNCED.search(text)
    if said is None:
        return _UNREAD
    effect = Effect.CONVERTS if said[0].startswith("conver") else Effect.OPENS
    return Ruling(effect, _kind(said[1]))


def _kind(words: str) -> LegalStatus | None:
    return next((status for name, status in _KINDS if name in words), None)


_KIND_STARTS = tuple(name for name, _ in _KINDS)
