// Elements made of text and elements: foreign text gets in as text only.

function make(tag, attributes, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value === undefined || value === null || value === false) continue;
    if (typeof value === "function") element.addEventListener(name, value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== undefined && child !== null && child !== ""));
  return element;
}

function badge(outcome) {
  return make("span", { class: `badge tone-${outcomes[outcome].tone}` }, outcome);
}

function testName(finding) {
  return [make("span", { class: "name" }, finding.name), " ", make("span", { class: "file" }, finding.file)];
}

function plainTable(caption, heads, rows) {
  const amounts = heads.map((head) => head.startsWith("#"));
  const names = heads.map((head) => head.replace("#", ""));
  const head = names.map((name, at) =>
    make("th", { scope: "col", role: "columnheader", class: amounts[at] && "amount" }, name),
  );
  const body = rows.map((cells) =>
    make(
      "tr",
      { role: "row" },
      cells.map((cell, at) =>
        make(
          "td",
          { role: "cell", class: amounts[at] ? "amount" : "wide", "data-label": amounts[at] && cell !== "" && names[at] },
          cell,
        ),
      ),
    ),
  );
  return make(
    "table",
    { class: "plain stack", role: "table", "aria-label": caption },
    make("thead", { role: "rowgroup" }, make("tr", { role: "row" }, head)),
    make("tbody", { role: "rowgroup" }, body),
  );
}

function command(text) {
  const block = make("pre", { class: "command", tabindex: "0" }, text);
  if (!navigator.clipboard) return block;
  const button = make("button", { type: "button" }, "Copy");
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(text);
      button.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(block);
      button.textContent = "Selected";
    }
  });
  return make("div", { class: "copied" }, block, button);
}
