
"use strict";
// Filters the probes of a page, which is whole without this: it hides what does not match, and shows a hundred at a time.
(() => {
  const form = document.querySelector(".filters");
  if (!form) return;
  const AT_A_TIME = 100;
  const sections = [...document.querySelectorAll("#groups > section")].map((section) => ({
    section,
    change: section.dataset.change,
    groups: [...section.querySelectorAll(".group")].map((group) => ({
      group,
      suite: group.dataset.suite,
      size: Number(group.dataset.number),
      categories: JSON.parse(group.dataset.categories),
      label: group.querySelector("summary > .quiet"),
      probes: null,
    })),
  }));
  const groups = sections.flatMap((part) => part.groups);
  const total = groups.reduce((sum, part) => sum + part.size, 0);
  const found = document.querySelector(".found");
  const status = found.querySelector("[role=status]");
  const open = found.querySelector("[data-does=open]");
  const more = document.querySelector("[data-does=more]");
  const texts = new Map();
  let shown = AT_A_TIME;

  const number = (value) => value.toLocaleString("en");
  const offer = (select, names) => {
    const before = select.value;
    select.length = 1;
    for (const name of [...new Set(names)].sort()) select.add(new Option(name, name));
    select.value = before;
    if (select.selectedIndex < 0) select.selectedIndex = 0;
  };
  const categories = () =>
    groups.filter((part) => !form.suite.value || part.suite === form.suite.value).flatMap((part) => part.categories);
  // With scripts, a browser takes the probes of a group for mere text, which costs next to nothing until they are needed.
  const probesOf = (part) => {
    if (!part.probes) {
      const text = part.group.querySelector(":scope > noscript");
      part.group.insertAdjacentHTML("beforeend", text.textContent);
      text.remove();
      part.probes = [...part.group.querySelectorAll(":scope > .probe")];
    }
    return part.probes;
  };
  const textOf = (probe) => {
    if (!texts.has(probe)) texts.set(probe, probe.textContent.toLowerCase());
    return texts.get(probe);
  };

  const filter = () => {
    const category = form.category.value;
    const words = form.words.value.toLowerCase().split(/\s+/).filter(Boolean);
    const all = !category && !words.length;
    const matches = (probe) =>
      (!category || probe.dataset.category === category) && words.every((word) => textOf(probe).includes(word));
    // How many probes of a group match; those beyond the first `room` are hidden.
    return (part, room) => {
      if (category && !part.categories.includes(category)) return 0;
      if (all && room <= 0) return part.size;
      let hits = 0;
      for (const probe of probesOf(part)) {
        const hit = matches(probe);
        hits += hit;
        probe.hidden = !hit || hits > room;
      }
      return hits;
    };
  };
  const show = () => {
    const changes = new Set(new FormData(form).getAll("change"));
    const suite = form.suite.value;
    const count = filter();
    let matched = 0;
    for (const { section, change, groups } of sections) {
      let any = false;
      for (const part of groups) {
        const room = shown - matched;
        const hits = changes.has(change) && (!suite || suite === part.suite) ? count(part, room) : 0;
        part.group.hidden = !hits || room <= 0;
        part.group.open = !part.group.hidden;
        part.label.textContent = hits === part.size ? number(hits) : `${number(hits)} of ${number(part.size)}`;
        any ||= !part.group.hidden;
        matched += hits;
      }
      section.hidden = !any;
    }
    status.textContent =
      `${number(matched)} of ${number(total)} probes` + (matched > shown ? `, the first ${number(shown)} shown` : "");
    more.hidden = matched <= shown;
    more.textContent = `show ${number(Math.min(AT_A_TIME, matched - shown))} more`;
    open.hidden = !matched;
  };
  const again = () => {
    shown = AT_A_TIME;
    show();
  };
  const visible = () =>
    groups.flatMap((part) => (part.group.hidden ? [] : part.probes.filter((probe) => !probe.hidden)));

  const boxes = [...form.querySelectorAll("[name=change]")];
  let waiting;
  form.addEventListener("input", (event) => {
    clearTimeout(waiting);
    if (event.target === form.suite) offer(form.category, categories());
    waiting = setTimeout(again, event.target === form.words ? 150 : 0);
  });
  form.addEventListener("submit", (event) => event.preventDefault());
  more.addEventListener("click", () => {
    const last = visible().at(-1);
    shown += AT_A_TIME;
    show();
    const all = visible();
    all[all.indexOf(last) + 1]?.querySelector("summary").focus();
  });
  open.addEventListener("click", () => {
    const probes = visible();
    const close = probes.every((probe) => probe.open);
    for (const probe of probes) probe.open = !close;
  });
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("a[data-suite]");
    if (!link) return;
    form.suite.value = link.dataset.suite;
    offer(form.category, categories());
    form.category.value = link.dataset.category;
    form.words.value = "";
    again();
    if (!open.hidden) return;
    for (const box of boxes) box.checked = true; // nothing of it was lost
    again();
  });

  const first = boxes.find((box) => box.value === "lost") ?? boxes[0];
  first.checked = true;
  offer(form.suite, groups.map((part) => part.suite));
  offer(form.category, categories());
  form.hidden = found.hidden = false;
  document.querySelector(".waiting").hidden = true;
  show();

  // The others while nobody waits, so that the first search need not.
  const later = () => {
    const part = groups.find((part) => !part.probes);
    if (!part) return;
    for (const probe of probesOf(part)) probe.hidden = true;
    (window.requestIdleCallback ?? setTimeout)(later);
  };
  window.addEventListener("load", () => setTimeout(later, 500));
})();
