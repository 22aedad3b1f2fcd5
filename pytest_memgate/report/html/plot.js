// Plotly, woken for the first chart, and the charts that are on the screen, drawn anew where light or width changes.

const PAPER = 680; // pixels: what A4 and Letter leave between their margins

let waking = null;
let drawn = [];

function wake() {
  waking = waking || unpack();
  return waking;
}

async function unpack() {
  const packed = Uint8Array.from(atob(document.getElementById("charts-source").textContent), (one) => one.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
  const source = await new Response(stream).text();
  // The style of its maps is put in unless an element of this name is there. Here are no maps, and no room for it.
  for (const [, id] of source.matchAll(/getElementById\("([0-9a-f]{64})"\)/g)) document.head.append(make("meta", { id }));
  document.head.append(make("script", {}, source));
  return window.Plotly;
}

const narrowScreen = matchMedia("(max-width: 720px)");
const darkScreen = matchMedia("(prefers-color-scheme: dark)");

async function draw(charts) {
  drawn = charts;
  if (!charts.length) return;
  try {
    const plotly = await wake();
    if (drawn !== charts) return; // another page was opened meanwhile
    const theme = colours();
    for (const { element, finding, figure } of charts) {
      const { data, layout } = figure(finding, theme, narrowScreen.matches);
      const width = document.documentElement.dataset.paper ? { width: PAPER } : { autosize: true };
      plotly.react(element, data, { ...layout, ...width }, { displayModeBar: false, responsive: true, typesetMath: false, showTips: false });
      element.dataset.drawn = "yes";
    }
  } catch (error) {
    for (const { element } of charts) element.replaceChildren("This browser cannot show the chart; the tables say the same.");
    console.warn(error);
  }
}

function redraw() {
  draw([...drawn]);
}

function clearCharts() {
  for (const { element } of drawn) if (window.Plotly) window.Plotly.purge(element);
  drawn = [];
}

narrowScreen.addEventListener("change", redraw);
darkScreen.addEventListener("change", redraw);
// Paper is light, whatever the screen is.
addEventListener("beforeprint", () => {
  document.documentElement.dataset.paper = "yes";
  redraw();
});
addEventListener("afterprint", () => {
  delete document.documentElement.dataset.paper;
  redraw();
});
