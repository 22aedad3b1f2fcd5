// What all figures share: colours of the page, texts in which nothing is markup, round marks.

function colours() {
  const style = getComputedStyle(document.documentElement);
  const names = ["ground", "text", "quiet", "line", "bad", "raised", "inner", "grew", "shrank", "still"];
  const found = Object.fromEntries(names.map((name) => [name, style.getPropertyValue(`--${name}`).trim()]));
  found.series = [1, 2, 3, 4, 5].map((number) => style.getPropertyValue(`--series-${number}`).trim());
  return found;
}

// Plotly reads a little HTML in its texts: here nothing is.
function inert(text) {
  return String(text).replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

function lines(texts) {
  const cut = texts.flatMap((text) => String(text).match(/.{1,70}/gsu) || []);
  return cut.slice(0, 12).map(inert).join("<br>");
}

function short(text, most) {
  const letters = [...text];
  return letters.length <= most ? text : `${letters.slice(0, most / 2).join("")}…${letters.slice(-most / 2).join("")}`;
}

function layout(theme, height, more) {
  return {
    height,
    margin: { l: 8, r: 8, t: 8, b: 8 },
    paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: "rgba(0,0,0,0)",
    font: { family: "system-ui, sans-serif", size: 12, color: theme.text },
    hoverlabel: {
      align: "left",
      bgcolor: theme.raised,
      bordercolor: theme.line,
      font: { family: "system-ui, sans-serif", size: 12, color: theme.text },
    },
    showlegend: false,
    ...more,
  };
}

function axis(theme, low, high, unit, most) {
  const marks = ticks(low, high, most);
  return {
    range: [low, high],
    tickvals: marks,
    ticktext: markTexts(marks, unit).map(inert),
    gridcolor: theme.line,
    zeroline: false,
    fixedrange: true,
    automargin: true,
    color: theme.quiet,
  };
}
