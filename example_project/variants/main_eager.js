// The front page with the report in it from the start. The demo puts it in the place of web/src/main.js.
import "./shop.css";
import { addTo, inWords } from "./basket.js";
import { euros } from "./money.js";
import { products } from "./products.js";
import { draw } from "./report.js"; // it opened with a blank second, so it comes with the page

const shop = document.querySelector("#shop");
const report = document.querySelector("#report");
const basket = document.querySelector("#basket");

function card({ article, cents, unit, about, picture }) {
  const item = document.createElement("li");
  item.innerHTML = `
    <div class="picture" aria-hidden="true">${picture}</div>
    <h3>${article}</h3>
    <p>${about}</p>
    <p class="price">${euros(cents)} <small>${unit}</small></p>
    <button type="button">Add to basket</button>`;
  item.querySelector("button").addEventListener("click", () => {
    addTo(article, cents);
    basket.textContent = inWords();
  });
  return item;
}

function showRoute() {
  const wanted = location.hash === "#what-sells";
  shop.hidden = wanted;
  report.hidden = !wanted;
  if (wanted) {
    draw(report);
  }
}

document.querySelector("#products").replaceChildren(...products.map(card));
addEventListener("hashchange", showRoute);
showRoute();
