// Amounts as every other report writes them: three significant digits, 1 KB = 1000 bytes.

function amount(value, unit) {
  if (unit === undefined || unit === "B") return size(value);
  const sign = value < 0 ? "-" : "";
  const whole = Math.abs(value);
  if (unit === "ms") return duration(sign, whole);
  const text = whole >= 999.5 || Number.isInteger(whole) ? fixed(whole, 0) : significant(whole);
  return `${sign}${text} ${unit}`.trimEnd();
}

function growth(value, unit) {
  const text = amount(value, unit);
  return value < 0 ? text : `+${text}`;
}

function size(value) {
  let left = Math.abs(value);
  for (const unit of ["B", "KB", "MB", "GB"]) {
    if (left < 999.5 || unit === "GB") {
      return `${value < 0 ? "-" : ""}${threeDigits(left, unit === "B")} ${unit}`;
    }
    left /= 1000;
  }
  return "";
}

function duration(sign, value) {
  if (!value) return "0 ms";
  const [unit, step] =
    value >= 9999.5 ? ["s", 1000] : value >= 0.9995 ? ["ms", 1] : value >= 0.0009995 ? ["us", 1e-3] : ["ns", 1e-6];
  const left = value / step;
  return `${sign}${threeDigits(left, left >= 99.95)} ${unit}`;
}

function threeDigits(value, whole) {
  const text = fixed(value, whole || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2);
  return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
}

function significant(value) {
  if (value < 1e-4) {
    const [digits, power] = value.toExponential(2).split("e");
    return `${digits.replace(/\.?0+$/, "")}e-${power.slice(1).padStart(2, "0")}`;
  }
  const text = fixed(value, 2 - Number(value.toExponential(2).split("e")[1]));
  return text.includes(".") ? text.replace(/\.?0+$/, "") : text;
}

// toFixed rounds a tie up, Python to the even digit: 12.25 is 12.2 in every report.
function fixed(value, decimals) {
  const exact = value.toFixed(Math.min(100, decimals + 80));
  const point = exact.indexOf(".");
  const kept = decimals ? exact.slice(0, point + 1 + decimals) : exact.slice(0, point);
  const tie = /^50*$/.test(exact.slice(point + 1 + decimals));
  return tie && Number(kept.at(-1)) % 2 === 0 ? kept : value.toFixed(decimals);
}

// Round places for the marks of an axis.
function ticks(low, high, most) {
  const raw = (high - low) / most || 1;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = power * [1, 2, 5, 10].find((one) => raw <= one * power * 1.000001);
  const found = [];
  for (let at = Math.ceil(low / step - 1e-9); at * step <= high + step * 1e-9; at += 1) found.push(at * step);
  return found;
}

// Their texts: with more digits than usual where marks would read alike.
function markTexts(marks, unit) {
  let texts = marks.map((mark) => amount(mark, unit));
  const most = Math.max(...marks.map(Math.abs));
  const [step, name] = unit === undefined || unit === "B" ? scale(most) : [1, unit];
  for (let decimals = 0; decimals < 12 && new Set(texts).size < texts.length; decimals += 1) {
    texts = marks.map((mark) => `${fixed(mark / step, decimals)} ${name}`.trimEnd());
  }
  return texts;
}

function scale(most) {
  return [[1e9, "GB"], [1e6, "MB"], [1e3, "KB"]].find(([step]) => most >= step) || [1, "B"];
}
