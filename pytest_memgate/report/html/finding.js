// The page of one finding: its numbers, what grew, its charts, how it was measured, and what to do.

function showFinding(finding) {
  const more = finding.more || {};
  const charts = [];
  const chart = (id, name, figure) => {
    const element = make("div", { class: "chart", id: `chart-${id}`, role: "img", "aria-label": name });
    charts.push({ element, finding, figure });
    return element;
  };
  document.getElementById("finding").replaceChildren(
    wayAbout(finding),
    make("h2", { id: "finding-title", tabindex: "-1" }, finding.name),
    make("p", { class: "quiet" }, finding.file, more.line ? `:${more.line}` : "", " · ", make("span", { class: "metric" }, finding.metric)),
    make("p", { class: "headline" }, badge(finding.outcome), " ", finding.reason || ""),
    figures(finding),
    ...(finding.cut ? [make("p", { class: "quiet" }, "What it is made of is left out, to keep this file small. The run's JSON has it.")] : []),
    ...(finding.more ? [...profileSection(finding, chart), ...samplesSection(finding, chart), ...trendSection(finding, chart), ...words(finding)] : []),
  );
  draw(charts);
}

function wayAbout(finding) {
  const at = listed.indexOf(finding);
  const link = (to, text) => (to ? make("a", { href: to.link }, text) : "");
  return make(
    "nav",
    { class: "way", "aria-label": "Between findings" },
    make("a", { href: "#findings", id: "back" }, "All findings"),
    make("span", {}, link(listed[at - 1], "Previous"), " ", at < 0 ? "" : link(listed[at + 1], "Next")),
  );
}

function figures(finding) {
  const unit = finding.unit;
  const pairs = [
    ["Before", finding.before],
    ["After", finding.after],
    ["Difference", [finding.difference, finding.percent && `(${finding.percent})`].filter(Boolean).join(" ")],
    ["Allowed growth", finding.allowed === undefined ? "" : amount(finding.allowed, unit)],
    ["Anchor", finding.more && finding.more.anchor !== undefined ? amount(finding.more.anchor, unit) : ""],
  ];
  return make(
    "dl",
    { class: "figures" },
    pairs.filter(([, text]) => text).map(([name, text]) => make("div", {}, make("dt", {}, name), make("dd", {}, text))),
  );
}

function profileSection(finding, chart) {
  const parts = finding.more.parts || [];
  if (!parts.length) return [];
  if (finding.value === undefined) return [otherParts(finding, parts)]; // of a bound nothing is drawn
  const moved = parts.filter((part) => part.base !== undefined);
  const found = [];
  if (moved.length) {
    found.push(make("h3", {}, finding.growth > 0 ? "What grew" : "What moved"), movedTable(finding, moved));
  }
  const kind = finding.metric.split("[")[0];
  if (kind === "web.lcp") {
    found.push(make("h3", {}, "Phases of the largest paint"), chart("phases", "Phases of the largest paint", phasesFigure));
    if (moved.length && moved.length < parts.length) {
      found.push(make("p", { class: "caption" }, "≈ moved by less than 2 % of the growth: drawn as it is after."));
    }
  } else if (family(kind) === "web" && kind !== "web.bytes") {
    found.push(make("h3", {}, "What it is made of"), chart("bars", "What the value is made of", barsFigure));
  } else {
    found.push(make("h3", {}, moved.length ? "Profile, before and after" : "Profile"), chart("profile", "What the value is made of, as nested areas", profileFigure), profileCaption(moved));
  }
  if (!moved.length || parts.length > moved.length) found.push(otherParts(finding, parts.filter((part) => part.base === undefined)));
  return found;
}

function profileCaption(moved) {
  const key = (name, text) => [make("span", { class: `key of-${name}` }), text];
  return make(
    "p",
    { class: "caption" },
    ...(moved.length
      ? ["Both are to one scale.", key("grew", "grew"), key("shrank", "shrank"), key("still", "moved by less than 2 % of the growth, or is not in the baseline: ≈ is what it takes up after. ")].flat()
      : []),
    "Click a part to look inside, its head to go back.",
  );
}

function movedTable(finding, moved) {
  const unit = finding.unit;
  const rows = moved.map((part) => [
    named(part),
    amount(part.base, unit),
    amount(part.head, unit),
    make("span", { class: part.head > part.base ? "grew" : "shrank" }, growth(part.head - part.base, unit)),
  ]);
  const rest = finding.value - finding.base - moved.reduce((sum, part) => sum + part.head - part.base, 0);
  if (Math.abs(rest) > 1e-9 * Math.abs(finding.value)) rows.push(["all others", "", "", growth(rest, unit)]);
  return plainTable("What moved", ["part", "#before", "#after", "#difference"], rows);
}

function otherParts(finding, parts) {
  const rows = parts.map((part) => [named(part), `${finding.bound === undefined ? "" : "<= "}${amount(part.head, finding.unit)}`]);
  return make("details", { open: finding.tone === "bad" && finding.growth === undefined }, make("summary", {}, `${parts.length} ${finding.more.parts.length > parts.length ? "other " : ""}parts in numbers`), plainTable("Parts", ["part", "#amount"], rows));
}

function named(part) {
  const said = [...(part.via || []).map((one) => (part.function ? `called from ${one}` : one)), ...(part.uses || []).map((one) => (part.function ? `uses ${one}` : one))];
  return make(
    "div",
    {},
    make("code", {}, label(part)),
    said.length ? make("ul", { class: "via" }, said.map((one) => make("li", {}, one))) : "",
  );
}

function samplesSection(finding, chart) {
  const { samples, again, warm } = finding.more;
  if ((samples || []).length + (again || []).length + (warm || []).length < 2) return [];
  const title = samples && samples.length ? "Samples" : "Runs";
  return [make("h3", {}, title), chart("samples", `${title}: ${finding.more.measured || ""}`, samplesFigure)];
}

function trendSection(finding, chart) {
  const values = finding.more.trend || [];
  if (values.length < 2) return [];
  const said = values.map((value) => (value === null ? "none" : amount(value, finding.unit))).join(", ");
  return [make("h3", {}, "Over the runs"), chart("trend", `Over the runs: ${said}`, trendFigure)];
}

function words(finding) {
  const { more } = finding;
  const found = [];
  const section = (name, ...children) => found.push(make("h3", {}, name), ...children);
  const list = (texts) => make("ul", {}, texts.map((text) => make("li", {}, text)));
  if (more.details) section("Details", list(more.details));
  if (more.audits && Object.keys(more.audits).length) {
    const rows = Object.entries(more.audits).map(([name, saved]) => [name, amount(saved, "ms")]);
    section("What would make the page quicker", plainTable("Hints", ["hint", "#would save"], rows));
  }
  if (more.measured || more.budget) {
    const said = [more.measured && `measured: ${more.measured}`, more.budget && `budget: ${more.budget}`].filter(Boolean);
    section("How it was measured", list([...said, ...Object.entries(more.conditions || {}).map(([key, value]) => `${key}: ${value}`)]));
  }
  if (more.kept) section("Kept files", list(more.kept));
  if (more.accept) section("If it is meant", command(more.accept));
  return found;
}
