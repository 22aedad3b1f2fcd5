// The icicle of each test: its calls from the top down, as broad as what they hold.

const ROW = 26; // pixels of a call
const CHOICES = [
  ["in use at the peak", "B"],
  ["objects in use at the peak", ""],
  ["live after the call", "B"],
  ["objects live after the call", ""],
  ["allocated over the call", "B"],
  ["objects allocated over the call", ""],
];
const page = JSON.parse(document.getElementById("data").textContent);
let chosen = page.retained ? 2 : 0;

// Amounts with all that is called; a caller stands before what it calls.
function summed(nodes, side) {
  const all = nodes.map((node) => (node[side] ? node[side][chosen] : 0));
  for (let at = nodes.length - 1; at > 0; at -= 1) all[nodes[at].parent] += all[at];
  return all;
}

function icicleFigure(test, theme) {
  const { nodes } = test;
  const unit = CHOICES[chosen][1];
  const after = summed(nodes, "head");
  const before = summed(nodes, "base");
  // What is gone since the base still has its place: as broad as the larger of the two.
  const own = nodes.map((node) => Math.max(node.head[chosen], node.base ? node.base[chosen] : 0));
  const broad = [...own];
  for (let at = nodes.length - 1; at > 0; at -= 1) broad[nodes[at].parent] += broad[at];
  const depths = [];
  for (const node of nodes) depths.push(node.parent < 0 ? 1 : depths[node.parent] + 1);
  const seen = nodes.map((_, at) => at).filter((at) => broad[at] > 0);
  const differences = nodes.map((_, at) => after[at] - before[at]);
  const most = Math.max(1, ...seen.map((at) => Math.abs(page.compared ? differences[at] : own[at])));
  const paint = (at) => {
    if (!page.compared) return mixed(theme.inner, theme.series[1], own[at] / most);
    const share = differences[at] / most;
    return mixed(theme.inner, share > 0 ? theme.grew : theme.shrank, Math.sqrt(Math.abs(share)));
  };
  const told = (at) => amount(after[at], unit) + (page.compared ? ` (${growth(differences[at], unit)})` : "");
  const data = {
    type: "icicle",
    ids: seen.map(String),
    labels: seen.map((at) => inert(short(nodes[at].function, 48))),
    parents: seen.map((at) => (nodes[at].parent < 0 ? "" : String(nodes[at].parent))),
    values: seen.map((at) => broad[at]),
    text: seen.map((at) => inert(told(at))),
    texttemplate: "%{label}  %{text}",
    hovertext: seen.map((at) => {
      const itself = `itself ${amount(nodes[at].head[chosen], unit)}`;
      return lines([nodes[at].label, page.compared ? `${amount(before[at], unit)} → ${told(at)}` : told(at), itself]);
    }),
    hovertemplate: "%{hovertext}<extra></extra>",
    branchvalues: "total",
    sort: true,
    pathbar: { visible: false },
    leaf: { opacity: 1 },
    tiling: { orientation: "v", pad: 1 },
    marker: { colors: seen.map(paint), line: { width: 1, color: theme.ground } },
    root: { color: theme.inner },
    textposition: "middle left",
  };
  const height = ROW * Math.max(2, ...seen.map((at) => depths[at]));
  return { data: [data], layout: layout(theme, height, { margin: { l: 0, r: 0, t: 0, b: 0 }, uniformtext: { minsize: 11, mode: "hide" } }) };
}

function mixed(from, to, share) {
  const parts = (colour) => [1, 3, 5].map((at) => parseInt(colour.slice(at, at + 2), 16));
  const [one, other] = [parts(from), parts(to)];
  const whole = one.map((part, at) => Math.round(part + (other[at] - part) * Math.min(1, Math.max(0, share))));
  return `#${whole.map((part) => part.toString(16).padStart(2, "0")).join("")}`;
}

function show() {
  const elements = [...document.querySelectorAll(".chart")];
  for (const element of elements) delete element.dataset.drawn;
  draw(elements.map((element, at) => ({ element, finding: page.tests[at], figure: icicleFigure })));
}

const options = CHOICES.map(([name], at) => make("option", { value: at, selected: at === chosen }, name));
const select = make("select", { id: "amount", change: (event) => { chosen = Number(event.target.value); show(); } }, options);
const colour = page.compared ? "red grew, blue shrank; a click on a call shows it alone" : "the stronger the colour, the more a call allocates itself; a click on it shows it alone";
if (page.tests.length) document.getElementById("choice").append(make("label", { for: "amount" }, "as broad as"), select, make("span", { class: "quiet" }, colour));
show();
document.documentElement.dataset.ready = "yes";
