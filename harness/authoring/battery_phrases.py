"""The texts of a suite in, its language and the usual phrases of a chat model in it out."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice

MOST_TEXTS = 200
"""How many texts of a suite are looked at for its language."""


@dataclass(frozen=True)
class Phrases:
    """What models say around their answers in a language; `{key}` is an answer, `{other}` a wrong one, `{question}` what was asked."""

    sentence: str
    denial: str
    either: str
    opening: str
    reasoning: str
    refusals: tuple[str, ...]


PHRASES = {
    "en": Phrases(
        "The answer is {key}.",
        "It is not {key}.",
        "Either {key} or {other}.",
        "Sure! Here is the answer:",
        "The question is: {question} Let me think about it step by step.",
        (
            "I'm sorry, but I can't help with that.",
            "As an AI language model, I am unable to answer this question. Please ask a professional.",
        ),
    ),
    "de": Phrases(
        "Die Antwort ist {key}.",
        "Es ist nicht {key}.",
        "Entweder {key} oder {other}.",
        "Gerne! Hier ist die Antwort:",
        "Die Frage lautet: {question} Ich überlege Schritt für Schritt.",
        (
            "Es tut mir leid, aber dabei kann ich nicht helfen.",
            "Als KI-Sprachmodell kann ich diese Frage leider nicht beantworten. Bitte fragen Sie eine Fachperson.",
        ),
    ),
    "fr": Phrases(
        "La réponse est {key}.",
        "Ce n'est pas {key}.",
        "Soit {key}, soit {other}.",
        "Bien sûr ! Voici la réponse :",
        "La question est : {question} Réfléchissons étape par étape.",
        (
            "Je suis désolé, mais je ne peux pas vous aider.",
            "En tant que modèle de langage, je ne peux pas répondre à cette question. Consultez un professionnel.",
        ),
    ),
    "es": Phrases(
        "La respuesta es {key}.",
        "No es {key}.",
        "O {key} o {other}.",
        "¡Claro! Aquí está la respuesta:",
        "La pregunta es: {question} Pensemos paso a paso.",
        (
            "Lo siento, pero no puedo ayudarte con eso.",
            "Como modelo de lenguaje, no puedo responder a esta pregunta. Consulta a un profesional.",
        ),
    ),
    "it": Phrases(
        "La risposta è {key}.",
        "Non è {key}.",
        "O {key} o {other}.",
        "Certo! Ecco la risposta:",
        "La domanda è: {question} Ragioniamo passo dopo passo.",
        (
            "Mi dispiace, ma non posso aiutarti.",
            "Come modello linguistico, non posso rispondere a questa domanda. Rivolgiti a un professionista.",
        ),
    ),
    "pt": Phrases(
        "A resposta é {key}.",
        "Não é {key}.",
        "Ou {key} ou {other}.",
        "Claro! Aqui está a resposta:",
        "A pergunta é: {question} Vamos pensar passo a passo.",
        (
            "Desculpe, mas não posso ajudar com isso.",
            "Como modelo de linguagem, não posso responder a esta pergunta. Consulte um profissional.",
        ),
    ),
    "nl": Phrases(
        "Het antwoord is {key}.",
        "Het is niet {key}.",
        "Of {key} of {other}.",
        "Natuurlijk! Hier is het antwoord:",
        "De vraag is: {question} Laten we stap voor stap nadenken.",
        (
            "Het spijt me, maar daar kan ik niet mee helpen.",
            "Als taalmodel kan ik deze vraag helaas niet beantwoorden. Raadpleeg een deskundige.",
        ),
    ),
    "ru": Phrases(
        "Ответ: {key}.",
        "Это не {key}.",
        "Либо {key}, либо {other}.",
        "Конечно! Вот ответ:",
        "Вопрос: {question} Давайте подумаем шаг за шагом.",
        ("Извините, но я не могу с этим помочь.",),
    ),
    "zh": Phrases(
        "答案是{key}。",
        "答案不是{key}。",
        "{key}或{other}。",
        "好的！答案如下：",
        "问题是：{question} 让我们一步一步地思考。",
        ("抱歉，我无法帮助您。",),
    ),
    "ja": Phrases(
        "答えは{key}です。",
        "答えは{key}ではありません。",
        "{key}か{other}です。",
        "はい！答えはこちらです：",
        "質問は「{question}」です。順番に考えます。",
        ("申し訳ありませんが、お手伝いできません。",),
    ),
}

_FUNCTION_WORDS = {
    "en": "the is of and what which how to in are does who with for",
    "de": "der die das und ist welche wie zu ein nicht wer mit auf von",
    "fr": "le les et est quelle quel des une dans pour qui du que est-ce",
    "es": "el los y es cuál qué una del por para cómo quién las se",
    "it": "il gli e è quale che una di per come chi della nel sono",
    "pt": "o os e é qual que uma do da por para como quem não",
    "nl": "de het en is welke wat een van hoe wie niet met voor op",
}
_WORDS_OF = {language: frozenset(words.split()) for language, words in _FUNCTION_WORDS.items()}
_SCRIPTS = {"ja": "[\u3040-\u30ff]", "zh": "[\u3400-\u9fff]", "ru": "[\u0400-\u04ff]"}


def language_of(texts: Iterable[str]) -> str:
    """The language of texts: by their script, else by their function words; English where nothing tells."""
    text = " ".join(part[:1000] for part in islice(texts, MOST_TEXTS)).casefold()
    for language, letters in _SCRIPTS.items():
        if 5 * len(re.findall(letters, text)) > len(text):
            return language
    words = re.findall(r"[^\W\d_]+", text)
    counts = {language: sum(word in own for word in words) for language, own in _WORDS_OF.items()}
    return max(counts, key=lambda language: counts[language])
