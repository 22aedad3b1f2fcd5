// What the visitor wants to order, and what it costs with delivery: the same rule as in shop/prices.py.
import { euros } from "./money.js";

const FREE_DELIVERY_FROM = 5000;
const DELIVERY = 490;
const lines = new Map();

export function addTo(article, cents) {
  const { quantity } = lines.get(article) ?? { quantity: 0 };
  lines.set(article, { quantity: quantity + 1, cents });
}

export function inWords() {
  const pieces = [...lines.values()].reduce((sum, line) => sum + line.quantity, 0);
  const goods = [...lines.values()].reduce((sum, line) => sum + line.quantity * line.cents, 0);
  const total = goods >= FREE_DELIVERY_FROM ? goods : goods + DELIVERY;
  return `${pieces} ${pieces === 1 ? "piece" : "pieces"}, ${euros(total)}`;
}
