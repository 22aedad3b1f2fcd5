function sorted(count) {
  const numbers = [];
  let seed = 42;
  for (let i = 0; i < count; i += 1) {
    seed = (seed * 1103515245 + 12345) % 2147483648;
    numbers.push(String(seed));
  }
  return numbers.sort()[0];
}

document.documentElement.dataset.first = sorted(240000);
addEventListener("load", () => setTimeout(() => {
  document.documentElement.dataset.second = sorted(240000);
}, 50));
