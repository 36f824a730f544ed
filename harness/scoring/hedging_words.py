"""The words by which a text leaves its answer open, in the languages that scores know."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property


@dataclass(frozen=True)
class Words:
    """Alternatives of regular expressions.

    Attributes:
        or_words: between candidates, and `and_words` before one of `maybes`.
        eithers: before the first of two.
        verbs: before a candidate: "is", "could be", "I think".
        tails: what ends a list of candidates: "but", "because", another verb.
        fillers: what may follow an "or" and is no candidate: "more", "so".
        smalls: articles and prepositions before a candidate.
        betweens: before the lower end of a range.
        tos: between its ends, and `froms` before the first end of a way.
        bounds: before a number that the answer is more or less than.
    """

    or_words: str
    and_words: str
    maybes: str
    eithers: str
    verbs: str
    tails: str
    fillers: str
    smalls: str
    betweens: str
    tos: str
    froms: str
    bounds: str

    @cached_property
    def joins(self) -> re.Pattern[str]:
        """What stands between two candidates and makes them alternatives."""
        maybe = f"(?:{self.maybes})(?!\\w) ?"
        return _words(
            rf",? {{1,3}}(?:{self.or_words}) {{1,3}}(?:{maybe})?|,? {{1,3}}(?:{self.and_words}) {{1,3}}{maybe}|, {{1,3}}{maybe}"
            r"|(?<=[^\W\d_]) ?/ ?(?=[^\W\d_])"
        )

    @cached_property
    def parts(self) -> re.Pattern[str]:
        """What separates candidates."""
        return _words(
            rf"{self.joins.pattern}|,(?!\d) *(?:(?:{self.or_words}|{self.and_words}) +)?(?:(?:{self.maybes})(?!\w) ?)?"
        )

    @cached_property
    def between(self) -> re.Pattern[str]:
        """What stands between two numbers of which neither counts."""
        maybe = f"(?:{self.maybes})"
        return _words(rf",? (?:{self.or_words}) (?:{maybe} )?|,? (?:{self.and_words}) {maybe} |, {maybe} ")

    @cached_property
    def pair(self) -> re.Pattern[str]:
        """What stands between the ends of a range after one of `betweens`."""
        return _words(rf" (?:{self.and_words}) [$€£¥]?")

    @cached_property
    def to(self) -> re.Pattern[str]:
        """What stands between the ends of a range."""
        return _words(rf" (?:{self.tos}) [$€£¥]?|-")

    @cached_property
    def bound(self) -> re.Pattern[str]:
        """What ends before a number that only bounds the answer."""
        return _words(rf"(?:(?<!\w)(?:{self.bounds}) |(?<![-=<>])[<>] ?)[$€£¥]?\Z")

    @cached_property
    def says(self) -> re.Pattern[str]:
        return _words(rf"(?<!\w)(?:{self.verbs}|{self.eithers}|{self.maybes})(?!\w)[ ,]*|[=\u2248] ?")

    @cached_property
    def either(self) -> re.Pattern[str]:
        return _words(rf"(?:{self.eithers})")

    @cached_property
    def maybe(self) -> re.Pattern[str]:
        return _words(rf"(?<!\w)(?:{self.maybes})(?!\w)")

    @cached_property
    def tail(self) -> re.Pattern[str]:
        return _words(rf",? (?:{self.tails})(?!\w)")

    @cached_property
    def filler(self) -> re.Pattern[str]:
        return _words(rf"(?:{self.fillers})(?!\w)")

    @cached_property
    def small(self) -> re.Pattern[str]:
        return _words(rf"^(?:(?:{self.smalls})(?!\w)[ ']*)+")


def _words(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


WORDS = {
    "en": Words(
        or_words="and/or|or",
        and_words="and",
        maybes="maybe|perhaps|possibly|probably|could be|might be",
        eithers="either",
        verbs=r"is|are|was|were|be|been|called|named|say|guess|think|believe|means|it's|that's|answer|prints?|outputs?|returns?|displays?|equals|gives",
        tails=r"but|because|since|as|though|although|depending|i|i'm|not|so|which|who|that|if|when|is|are|was|were|can|could|might|would|"
        r"has|have|on the other hand",
        fillers=r"more|less|fewer|so|something|someone|somewhere|anything|any|another|other|others|otherwise|similar|equivalently|simply|"
        r"just|thereabouts|both|vice|the like|the other|not|nothing|none|whatever|later|earlier|above|below|higher|lower|over|under|rather|"
        r"else|also|at least|known|what|how|if|as|two|the (?:like|largest|only|one|same)",
        smalls=r"the|an?|in|on|at|of|from|by|to|about|with|around|approximately|probably|its|some",
        betweens=r"between",
        tos=r"to",
        froms=r"from",
        bounds=r"(?<!no )(?<!not )(?:more|less|fewer|greater|larger|smaller|higher|lower) than",
    ),
    "de": Words(
        or_words="oder|beziehungsweise|bzw\\.?",
        and_words="und",
        maybes="vielleicht|möglicherweise|eventuell|wahrscheinlich|womöglich",
        eithers="entweder",
        verbs=r"ist|sind|war|waren|sein|heißt|wäre|lautet|antwort|glaube|denke|meine",
        tails=r"aber|weil|denn|da|obwohl|ich|nicht|also|so|was|der|wenn|ist|sind|war|kann|könnte|je nachdem",
        fillers=r"mehr|weniger|so|etwas|jemand|andere\w*|ähnlich\w*|sonst|anders|besser|auch|nicht|keine\w*|später|früher|höher|darüber|darunter",
        smalls=r"der|die|das|den|dem|ein|eine|einen|einem|einer|in|im|an|am|auf|aus|von|mit|um|etwa|ungefähr",
        betweens=r"zwischen",
        tos=r"bis",
        froms=r"von",
        bounds=r"(?<!nicht )(?:mehr|weniger|größer|kleiner|höher) als",
    ),
    "fr": Words(
        or_words="ou bien|ou alors|ou|soit",
        and_words="et",
        maybes="peut-être|éventuellement|probablement|possiblement",
        eithers="soit",
        verbs=r"est|sont|était|étaient|être|serait|c'est|appelle|réponse|pense|crois|dirais",
        tails=r"mais|parce|car|bien que|je|pas|donc|alors|qui|que|si|quand|est|sont|était|peut|selon|cela",
        fillers=r"plus|moins|quelque\w*|autre\w*|similaire\w*|encore|mieux|pas|rien|aucun\w*|non|davantage|tard|tôt",
        smalls=r"le|la|les|l'|un|une|des|du|de|d'|à|au|aux|en|dans|sur|par|environ",
        betweens=r"entre",
        tos=r"à",
        froms=r"de",
        bounds=r"(?<!pas )(?:plus|moins) de",
    ),
    "es": Words(
        or_words="o bien|o|u",
        and_words="y|e",
        maybes="quizás?|tal vez|posiblemente|probablemente|acaso",
        eithers="o bien|ya sea|o",
        verbs=r"es|son|era|eran|ser|sería|está|están|llama|respuesta|creo|pienso|diría",
        tails=r"pero|porque|pues|aunque|yo|no|así|que|quien|si|cuando|es|son|era|puede|según|depende",
        fillers=r"más|menos|algo|alguien|otr[oa]s?|similar\w*|mejor|no|nada|ningun\w*|así|tarde|temprano",
        smalls=r"el|la|los|las|un|una|unos|unas|de|del|en|a|al|por|con|unos|aproximadamente",
        betweens=r"entre",
        tos=r"a",
        froms=r"de",
        bounds=r"(?<!no )(?:más|menos) de",
    ),
    "it": Words(
        or_words="o|od|oppure|ovvero",
        and_words="e|ed",
        maybes="forse|magari|probabilmente|possibilmente|eventualmente",
        eithers="o",
        verbs=r"è|sono|era|erano|essere|sarebbe|chiama|risposta|credo|penso|direi",
        tails=r"ma|perché|poiché|anche se|benché|io|non|quindi|così|che|chi|se|quando|è|sono|era|può|dipende",
        fillers=r"più|meno|qualcos\w*|qualcuno|altr[oaie]|simil\w*|meglio|non|niente|nulla|nessun\w*|così|tardi|prima",
        smalls=r"il|lo|la|i|gli|le|l'|un|uno|una|un'|di|del|della|in|nel|nella|a|al|da|con|circa",
        betweens=r"tra|fra",
        tos=r"a",
        froms=r"da",
        bounds=r"(?<!non )(?:più|meno) di",
    ),
    "pt": Words(
        or_words="ou então|ou",
        and_words="e",
        maybes="talvez|possivelmente|provavelmente|quem sabe",
        eithers="ou",
        verbs=r"é|são|era|eram|ser|seria|está|chama|resposta|acho|creio|penso|diria",
        tails=r"mas|porque|pois|embora|eu|não|então|que|quem|se|quando|é|são|era|pode|depende",
        fillers=r"mais|menos|algo|alguém|outr[oa]s?|similar\w*|parecid\w*|melhor|não|nada|nenhum\w*|assim|tarde|cedo",
        smalls=r"o|a|os|as|um|uma|de|do|da|dos|das|em|no|na|ao|à|por|com|cerca",
        betweens=r"entre",
        tos=r"a",
        froms=r"de",
        bounds=r"(?<!não )(?:mais|menos) de",
    ),
    "nl": Words(
        or_words="ofwel|of",
        and_words="en",
        maybes="misschien|mogelijk|wellicht|waarschijnlijk|eventueel",
        eithers="of|ofwel|hetzij",
        verbs=r"is|zijn|was|waren|heet|wordt|antwoord|denk|geloof|zou",
        tails=r"maar|omdat|want|hoewel|ik|niet|dus|zo|die|dat|als|wanneer|is|zijn|was|kan|zou|afhankelijk",
        fillers=r"meer|minder|iets|iemand|ander\w*|zoiets|vergelijkbaar\w*|beter|niet|geen|zo|later|eerder|hoger|lager",
        smalls=r"de|het|een|'t|in|op|aan|van|uit|met|bij|om|ongeveer",
        betweens=r"tussen",
        tos=r"tot",
        froms=r"van",
        bounds=r"(?<!niet )(?:meer|minder) dan",
    ),
}  # fmt: skip
