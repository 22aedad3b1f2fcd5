// The report: how many pieces of each article were sold, week by week. Nobody needs it on the front page.
import Chart from "chart.js/auto";
import "chartjs-adapter-luxon";
import sales from "./sales.json";

const COLOURS = { apples: "#c8413b", bread: "#b9804c", coffee: "#5a3d2e", honey: "#e09a1f", tea: "#3f7773" };
const A_WEEK_IN_MS = 7 * 24 * 60 * 60 * 1000;

export function draw(place) {
  if (place.querySelector("canvas")) {
    return; // it was opened before
  }
  place.innerHTML = `
    <h1>What sells</h1>
    <p>Pieces of each article by week, over one year. Click an article's name to leave it out.</p>
    <div class="chart"><canvas role="img" aria-label="Pieces sold by week"></canvas></div>`;
  const first = Date.parse(sales.firstWeek);
  new Chart(place.querySelector("canvas"), {
    type: "line",
    data: { datasets: Object.entries(sales.pieces).map(([article, weeks]) => line(article, weeks, first)) },
    options: {
      maintainAspectRatio: false,
      interaction: { mode: "index", intersect: false },
      scales: {
        x: { type: "time", time: { unit: "month", tooltipFormat: "DD" } },
        y: { beginAtZero: true, title: { display: true, text: "pieces" } },
      },
    },
  });
}

function line(article, weeks, first) {
  return {
    label: article,
    data: weeks.map((pieces, week) => ({ x: first + week * A_WEEK_IN_MS, y: pieces })),
    borderColor: COLOURS[article],
    backgroundColor: COLOURS[article],
    pointRadius: 0,
    tension: 0.3,
  };
}
