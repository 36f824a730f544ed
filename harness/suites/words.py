"""The words that authors and other tools have for the keys of a suite, and examples of what to write."""

from __future__ import annotations

from harness.documents.part import meanings

SUITE = meanings(
    suite="name title suite_name benchmark id",
    about="description desc purpose summary",
    severity="priority level importance criticality",
    task="config settings setup prompting",
    score="metric metrics scorer scoring scores evaluator grader judge",
    gates="gate thresholds threshold rules checks limits criteria",
    probes="tests test questions cases testcases test_cases examples samples items data prompts entries",
    probes_from="dataset data_file file source",
)
TASK = meanings(
    system="system_prompt system_message instruction instructions",
    prompt="template prompt_template question input text user",
    shots="examples few_shot fewshot few_shots fewshots demonstrations",
    answer="mode type kind",
    max_new_tokens="max_tokens max_length max_new tokens limit max_output_tokens max_completion_tokens",
    stop="stop_sequences stop_words until stop_strings stops eos",
    template="template_args chat_template chat_template_kwargs",
    thinking="reasoning think",
)
GATE = meanings(
    over="by on slice scope per for of level",
    max_drop="threshold margin tolerance drop max_decrease max_loss_of_accuracy max_forgetting maximum_drop allowed_drop limit",
    max_rise="max_increase rise",
    max_loss="loss",
    on_inconclusive="inconclusive",
    require="must requires required",
)
PROBE = meanings(
    id="name key title test_id uid identifier probe",
    category="tag tags group topic class section subject slice area domain",
    severity="priority level importance",
    answer="expected expected_answer expected_output output target label ideal gold golden answers correct correct_answer "
    "reference solution response completion reply expect result",
    choices="options alternatives candidates distractors",
    also_ask="paraphrases paraphrase variants rephrasings rephrased also",
    score="metric scorer scoring check",
    note="comment comments remark remarks description notes explanation",
)
QUESTIONS = ("question", "prompt", "input", "query", "instruction", "q", "user", "ask", "text", "problem")
"""What people call the only field of a prompt."""

SCORES = meanings(
    equals="exact exact_match match em equal accuracy",
    contains="include includes contain substring",
    mentions="mention keyword keywords",
    regex="regexp pattern re",
    number="numeric numerical math",
    choice="multiple_choice mc",
    json_schema="schema jsonschema",
    python="code unit_tests",
    refusal="refuse refuses",
    likelihood="perplexity loglikelihood ppl",
    check="rule rules form",
)
GATES = {
    "": "{over: all, max_drop: 0.10}",
    "all": "{over: all, max_drop: 0.10}",
    "category": "{over: category, max_drop: 0.20}",
    "each": "{over: each}",
    "over": "over: all",
}
SUITES = {
    "suite": "suite: our-products",
    "gates": "gates: [{over: each}], or for 30 probes and more: gates: [{over: all, max_drop: 0.10}]",
    "about": 'about: "What the assistant knows about our products."',
}
TASKS = {"": '{prompt: "{question}"}', "prompt": 'prompt: "{question}"'}
PROBES = {
    "": '{id: capital, question: "What is the capital of France?", answer: Paris}',
    "id": "id: capital, each probe under a name of its own",
}
SHOTS = {"": '{question: "What is the capital of Italy?", answer: Rome}'}
DRAWS = {"": "{whole: [1, 9]}, or {choice: [red, blue]}"}
