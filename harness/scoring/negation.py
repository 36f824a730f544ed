"""A text in, the text without what it denies out: "not Paris", "isn't in Rome", "sugar instead of salt", "kein Hund"."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

_AFTER_NO = "|".join(rf"(?<=(?<!\w){no},\s)" for no in ("no", "nope", "nein", "nee", "non", "não"))


@dataclass(frozen=True)
class Denial:
    """How a language denies: alternatives of regular expressions.

    Attributes:
        denies: what denies the words that follow it.
        unless: what may follow it so that nothing is denied, as in "not only".
        smalls: words that do not count towards the three that are denied.
        ends: words that end what is denied, but for those after one of `ors`.
        wrongs: what denies the one to three words before it that open a sentence, as in "Paris is wrong".
        noes: "no", after a question that proposed an answer, and `but_noes`, which is no such no.
        believed: what comes before and after one to three words that others hold to be the answer.
    """

    denies: str
    unless: str
    smalls: str
    ends: str
    ors: str
    wrongs: str
    noes: str
    but_noes: str
    believed: tuple[str, str]

    def denied(self) -> re.Pattern[str]:
        """A denial and, in group 1, up to three words that it denies, and as many after an "or"."""
        few = (
            rf"(?: (?:{self.smalls})(?!\w)'?){{0,3}}"
            rf"(?:(?: |(?<='))(?!(?:{self.ends})(?![\w']))[$\"'({{\[`<*#@-]{{0,3}}[\w.,:'-]{{0,40}}\w){{1,3}}"
        )
        pattern = rf"{self.denies}(?! (?:{self.unless})(?!\w))({few}(?:,? (?:{self.ors})(?!\w){few}){{0,3}})"
        return re.compile(pattern, re.IGNORECASE)

    def wrong(self) -> re.Pattern[str]:
        """Up to three words that open a sentence which says that they are wrong, or not the one that was asked for."""
        words = rf"(?!(?:{self.ends})(?![\w']))" r"[^\s.!?,;:]{1,40}(?: [^\s.!?,;:]{1,40}){0,2}?"
        return re.compile(
            rf"(?:\A|(?<=\n)|(?<=[.!?;:]\s)|{_AFTER_NO}){words}(?= (?:{self.wrongs})(?!\w))", re.IGNORECASE
        )

    def mistaken(self) -> re.Pattern[str]:
        """Up to three words, in group 1, that the text calls a belief and corrects at once."""
        before, after = self.believed
        words = rf"((?: (?!(?:{self.ends})(?!\w))[^\s.!?,;:]{{1,40}}){{1,3}}?)"
        return re.compile(rf"(?<!\w)(?:{before}){words}(?=,? (?:{after}))", re.IGNORECASE)

    def withdrawn(self) -> re.Pattern[str]:
        """A short question, or up to three words, to which the text itself says no."""
        first = r"(?:(?:oh|wait|hm+|actually|sorry|well),? ){0,2}"
        no = rf"\s{{1,3}}{first}(?:{self.noes})(?!\w)(?! (?:{self.but_noes})(?!\w))"
        asked = rf"[^\s.!?]{{1,40}}(?: [^\s.!?]{{1,40}}){{0,7}} ?\?(?={no}[,.!:;\s]{{1,3}}{first}\w)"
        said = rf"[^\s.!?,]{{1,40}}(?: [^\s.!?,]{{1,40}}){{0,2}}(?:\.{{1,3}}|[!,])(?={no}[,.!:;]{{1,2}} {first}\w)"
        return re.compile(rf"(?<![^\s\"'(])(?:{asked}|{said})", re.IGNORECASE)


_EN = Denial(
    r"(?:(?<!\w)(?:(?:is|are|was|were|am|be|been|has|have|had|it's|that's|he's|she's|they're|and|but|or|why|definitely|certainly) (?:not|never|no longer|hardly|(?<!be )anything but)"
    r"|(?:is|are|was|were|ai)n't|(?:(?:do|does|did|would|will) (?:not|never)|(?:do|does|did|would|wo)n't) "
    r"(?:print|output|return|display|show|give|produce|yield|equal|say|mean|become)|(?:(?:can|could|may|might|must|should|would|will) ?(?:not|never)|(?:ca|could|must|should|would|wo)n't)(?: possibly)? be"
    r"|(?:(?:do not|don't) (?:think|believe)|I (?:(?:highly|really|seriously|strongly|very much) )?doubt)(?: that)? (?:it(?:'s| is| was)|(?:this|that) is|they are)|nor|neither|rather than|instead of|(?<!none )other than|as opposed to|(?:misconception|myth)(?: is)? that)|(?<!\w )(?<!\w)(?:not|unlike))(?!\w)",
    r"only|just|merely|simply|until|before|surprisingly|to mention|unlike|sure|certain|exactly|necessarily",
    r"(?:think|believe)(?: that)? (?:it(?:'s| is| was)|they are)|a|an|the|in|on|at|of|from|by|to|be|been|have|has|had|any|"
    r"called|named|really|actually|my|your|his|her|their|its|our|mr\.?|mrs\.?|dr\.?|st\.?|use|used",
    r"it|it's|its|they|they're|he|she|we|you|i|but|and|because|since|is|are|was|were|so|then|therefore|instead|that|which|who|"
    r"as|or|answer|than|if|when|while|although|though|for|with|without",
    r"n?or",
    r"(?:is|are|was|were|would be) (?:wrong|incorrect|false|a common mis\w+)|(?:did not|didn't) \w{1,20} (?:it|this)|"
    r"(?:(?:is|are|was|were) not|(?:is|are|was|were)n't|(?:can|could) ?not be|(?:ca|could)n't be) (?:right|correct|the (?!\w+est(?!\w)|most|only|same|best|worst|first|last|case|end)\w+)",
    r"no|nope|correction|(?:that|this)(?:'s| is) (?:wrong|incorrect|not (?:right|correct))",
    r"doubt|question|problem|wonder|matter|need",
    (
        r"(?<!(?<!\w)I )(?<!I would )(?<!I'd )(?:thinks?|thought|says?|said|believe[ds]?|assume[ds]?|guess(?:ed)?)(?: that)?(?: (?:it|this|that)(?:'s| is| was))?",
        r"but (?:(?:it|this|that)(?:'s| is| was| would be)|(?:you|they)(?:'d| would) be (?:wrong|mistaken)|(?:the|its) (?:\w{1,20} ){1,5}(?:is|was))(?! (?:also|still|often|sometimes|called|known)(?!\w))",
    ),
)
_DE = Denial(
    r"(?:(?<!\w)(?:(?:ist|sind|war|waren|wäre|und|aber|heißt|bestimmt|sicher|es|das|dies) (?:nicht|nie|niemals)|(?:kann|können|könnte|wird|dürfte) nicht(?=[^.!?,]{1,40} sein(?!\w))|(?:glaube|denke) nicht, dass (?:es|das)|weder|(?<=, )noch|"
    r"(?<= )noch(?= [^\s,.]{1,40}[.!]?$)|anstatt|anstelle von|statt|kein(?:e[nrms]?)?)|(?<!\w )(?<!\w)(?:nicht|anders als))(?!\w)",
    r"nur|bloß|allein|lediglich|einfach|bis|vor|bevor|sicher|genau|unbedingt|weit|überraschend",
    r"der|die|das|dem|den|des|ein|eine|einen|einem|einer|in|im|an|am|auf|aus|von|vom|bei|zu|mit|wirklich|eigentlich|etwa|mein|sein|ihr",
    r"es|sie|er|wir|ich|du|sondern|aber|und|weil|denn|da|ist|sind|war|waren|also|dann|daher|stattdessen|dass|das|welche|wer|wie|oder|"
    r"als|wenn|obwohl|für|ohne",
    r"oder|noch",
    r"(?:ist|sind|war|waren) (?:falsch|nicht (?:richtig|korrekt|(?:die|der|das) (?!\w+[sß]te[nrs]?(?!\w)|einzige)\w+))",
    r"nein|nee|ne|das ist (?:falsch|nicht richtig)",
    r"zweifel",
    (
        r"(?:glaub|denk|mein|sag)(?:en|t),? (?:dass )?(?:es|das)(?: (?:sei|ist|wäre))?",
        r"(?:(?:ist|sei|wäre),? )?aber (?:(?:es|das) (?:ist|war)|d(?:ie|er|as) (?:\w{1,20} ){1,5}(?:ist|war))(?! auch(?!\w))",
    ),
)
_FR = Denial(
    r"(?:(?<!\w)(?:(?:n'est|n'était|ne sont|n'étaient|n'a|ne fut|n'ont|est|était|sont) (?:pas|jamais)|et (?:non|pas)(?: pas)?|mais pas|"
    r"n'est (?:ni|point)|ni|plutôt que|au lieu d[eu]|à la place d[eu]|contrairement à)|(?<!\w )(?<!\w)(?:non pas|pas|non))(?!\w)",
    r"seulement|uniquement|que|simplement|juste|avant|sûr|certain|exactement|forcément|nécessairement|loin|de doute",
    r"le|la|les|l|un|une|des|du|de|d|à|au|aux|en|dans|sur|par|vraiment|appelé|mon|ton|son|sa",
    r"il|elle|ils|elles|c'est|on|nous|vous|je|mais|et|parce|car|est|sont|était|donc|alors|plutôt|qui|que|ou|si|quand|bien|pour|avec|sans",
    r"ou|ni",
    r"(?:est|sont) (?:faux|fausse|incorrecte?)|(?:n'est|n'était|ne sont) pas (?:correcte?s?|(?:l[ae] |l')(?!(?:\w+ )?(?:l[ae] )?(?:plus|seule?|même|meilleure?|dernière?|première?|dernier|premier|fin)(?!\w))\w+)",
    r"non",
    r"plus|seulement",
    (
        r"(?:pensent|croient|disent|croit|dit)(?: souvent)? que (?:c'est|c'était|ce serait)",
        r"mais (?:en (?:fait|réalité),? )?(?:c'est|c'était|l[ae] (?:\w{1,20} ){1,5}est)(?! aussi(?!\w))",
    ),
)
_ES = Denial(
    r"(?:(?<!\w)(?:no (?:es|son|era|eran|fue|fueron|está|están|se llama)|nunca (?:es|fue|era)|y no|pero no|ni|en vez de|en lugar de|a diferencia de)"
    r"|(?<!\w )(?<!\w)no)(?!\w)",
    r"solo|sólo|solamente|únicamente|sino|hasta|antes|seguro|exactamente|necesariamente|hay|lo sé|sé|tengo|estoy|lejos",
    r"el|la|los|las|un|una|de|del|en|a|al|por|con|realmente|llamada|llamado|mi|tu|su",
    r"es|son|era|él|ella|ellos|yo|pero|sino|y|porque|pues|así|entonces|que|quien|o|si|cuando|aunque|para|sin|como",
    r"o|u|ni",
    r"es (?:falso|falsa|incorrect[oa])|no (?:es|era|fue) (?:correct[oa]|(?:el|la) (?!(?:\w+ )?(?:más|mism[oa]|únic[oa]|mejor|peor|mayor|menor|primer[oa]?|últim[oa]|fin)(?!\w))\w+)",
    r"no",
    r"hay|obstante",
    (
        r"(?:piensa|cree|dice)n?(?: a menudo)? que (?:es|sea|era)",
        r"pero (?:en realidad )?(?:es|era|(?:el|la) (?:\w{1,20} ){1,5}es)(?! también(?!\w))",
    ),
)
_PT = Denial(
    r"(?:(?<!\w)(?:não (?:é|são|era|eram|foi|foram|está|estão|fica|se chama)|nunca (?:é|foi|era)|e não|mas não|nem|em vez de|em lugar de|"
    r"ao invés de|ao contrário de)|(?<!\w )(?<!\w)não)(?!\w)",
    r"só|somente|apenas|até|antes|certo|exatamente|necessariamente|há|sei|tenho|estou|longe",
    r"o|a|os|as|um|uma|de|do|da|dos|das|em|no|na|ao|à|por|com|realmente|chamada|chamado|meu|seu|sua",
    r"é|são|era|ele|ela|eles|eu|mas|e|porque|pois|assim|então|que|quem|ou|se|quando|embora|para|sem|como|sim",
    r"ou|nem",
    r"(?:é|está) (?:fals[oa]|incorret[oa]|errad[oa])|não (?:é|era|foi) (?:corret[oa]|[oa] (?!(?:\w+ )?(?:mais|mesm[oa]|únic[oa]|melhor|pior|maior|menor|primeir[oa]|últim[oa]|fim)(?!\w))\w+)",
    r"não",
    r"há|obstante",
    (
        r"(?:pensa|acha|acredita)m? que (?:é|seja|era)",
        r"mas (?:na verdade )?(?:é|era|[oa] (?:\w{1,20} ){1,5}é)(?! também(?!\w))",
    ),
)
_IT = Denial(
    r"(?:(?<!\w)(?:non (?:è|sono|era|erano|fu|furono|si chiama|si trova)|mai (?:è|fu)|e non|ma non|né|invece di|anziché|piuttosto che|"
    r"al posto di|a differenza di)|(?<!\w )(?<!\w)non)(?!\w)",
    r"solo|soltanto|solamente|appena|fino|prima|sicuro|certo|esattamente|necessariamente|c'è|so|ho|sono sicuro|lontano",
    r"il|lo|la|i|gli|le|l|un|uno|una|di|del|della|in|nel|nella|a|al|da|con|davvero|chiamata|chiamato|mio|suo|sua",
    r"è|sono|era|lui|lei|loro|io|ma|bensì|e|perché|poiché|quindi|allora|che|chi|o|se|quando|sebbene|per|senza|come",
    r"o|oppure|né",
    r"è (?:fals[oa]|sbagliat[oa])|non (?:è|era|fu) (?:corrett[oa]|giust[oa]|(?:il |la |lo |l')(?!(?:\w+ )?(?:più|stess[oa]|unic[oa]|sol[oa]|migliore?|peggiore?|maggiore?|minore?|prim[oa]|ultim[oa]|fine)(?!\w))\w+)",
    r"no",
    r"problem",
    (
        r"(?:pensano|credono|dicono|pensa|crede|dice)(?: spesso)? che (?:sia|è|fosse)",
        r"ma (?:in realtà )?(?:è|era|(?:il|la) (?:\w{1,20} ){1,5}è)(?! anche(?!\w))",
    ),
)
_NL = Denial(
    r"(?:(?<!\w)(?:(?:is|zijn|was|waren|en|maar|heet|het|dat|dit|zeker) (?:niet|nooit)|noch|in plaats van|in tegenstelling tot|geen)"
    r"|(?<!\w )(?<!\w)(?:niet|anders dan))(?!\w)",
    r"alleen|slechts|enkel|gewoon|tot|voor|voordat|zeker|precies|per se|ver|verrassend",
    r"de|het|een|'t|in|op|aan|van|uit|bij|te|met|door|echt|eigenlijk|mijn|zijn|haar",
    r"het|ze|hij|zij|we|ik|je|maar|en|omdat|want|is|zijn|was|waren|dus|dan|daarom|dat|die|wie|of|als|wanneer|hoewel|voor|zonder",
    r"of|noch",
    r"is (?:fout|onjuist|verkeerd)|(?:is|was) niet (?:juist|correct|(?:de|het) (?!\w+ste(?!\w)|enige|einde)\w+)",
    r"nee|neen",
    r"twijfel",
    (
        r"(?:denken|geloven|zeggen|denkt|gelooft|zegt)(?: vaak)? dat (?:het|dit|dat)",
        r"(?:(?:is|was),? )?maar (?:(?:het|dit|dat) (?:is|was)|(?:de|het) (?:\w{1,20} ){1,5}(?:is|was))(?! ook(?!\w))",
    ),
)
DENIALS = {"en": _EN, "de": _DE, "fr": _FR, "es": _ES, "pt": _PT, "it": _IT, "nl": _NL}


@lru_cache(maxsize=16)
def without_denied(text: str, language: str = "en") -> str:
    """The text without up to three words that follow `is not`, `isn't`, `, not`, `nor`, `instead of` and the like, nor such after an `or`.

    Words such as `the` and `in` do not count towards the three; `not only`, `not until` and `not sure` deny nothing that
    follows, nor does the `not` of a verb: "do not touch the stove" is about the stove. A short question that the text says no
    to is denied as well: "Paris? No, Rome"; and so is what opens a sentence as wrong, "Paris is wrong", and a belief that the text
    corrects at once, "Some say Paris, but it is Rome". In the languages of DENIALS; other texts stay as they are. In linear time.
    """
    if language not in DENIALS:
        return text
    denied, withdrawn, wrong, mistaken = _patterns(language)
    text = mistaken.sub(lambda found: found.group()[: -len(found[1])], text)
    text = withdrawn.sub("", text)
    text = wrong.sub("", text)
    return denied.sub(lambda found: found.group()[: -len(found[1])], text)


def denies(text: str, language: str) -> bool:
    """Whether a text is a denial itself, as an expected answer may be: "not guilty"."""
    return language in DENIALS and re.search(DENIALS[language].denies, text, re.IGNORECASE) is not None


@lru_cache(maxsize=len(DENIALS))
def _patterns(
    language: str,
) -> tuple[re.Pattern[str], re.Pattern[str], re.Pattern[str], re.Pattern[str]]:
    denial = DENIALS[language]
    return denial.denied(), denial.withdrawn(), denial.wrong(), denial.mistaken()
