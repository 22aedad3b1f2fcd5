// Plotly, loaded once there is nothing else to do, and the charts on the screen, drawn anew where light or width changes.

const narrowScreen = matchMedia("(max-width: 720px)");
const darkScreen = matchMedia("(prefers-color-scheme: dark)");
let drawn = [];

const plotly = () => script("plotly.min.js");

// It takes longer than a chart does, and typing waits for it: a reader looks at a list for a second before choosing.
// Safari tells no idle time.
function preparePlotly() {
  const whenIdle = globalThis.requestIdleCallback || ((work) => work());
  setTimeout(() => whenIdle(() => plotly().catch(() => {})), 1000); // the first chart says that it is missing
}

async function draw(charts) {
  drawn = charts;
  for (const { element } of charts) delete element.dataset.drawn;
  try {
    await plotly();
    if (drawn !== charts) return; // another page was opened meanwhile
    const theme = colours();
    const style = getComputedStyle(document.documentElement);
    for (const name of ["accent", "good", "doubt"]) theme[name] = style.getPropertyValue(`--${name}`).trim();
    for (const { element, figure } of charts) {
      const { data, layout } = figure(theme, narrowScreen.matches);
      const options = { displayModeBar: false, responsive: true, typesetMath: false, showTips: false };
      await window.Plotly.react(element, data, { ...layout, autosize: true }, options);
      element.dataset.drawn = "yes";
    }
  } catch (error) {
    for (const { element } of charts) element.replaceChildren("This browser cannot show the chart; the tables say the same.");
    console.warn(error);
  }
}

function clearCharts() {
  for (const { element } of drawn) if (window.Plotly) window.Plotly.purge(element);
  drawn = [];
}

for (const media of [narrowScreen, darkScreen]) media.addEventListener("change", () => drawn.length && draw([...drawn]));
