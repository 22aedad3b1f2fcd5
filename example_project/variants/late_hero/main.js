// The front page whose large picture comes last. The demo puts these files in the place of their like in web/src/.
import "./shop.css";
import { addTo, inWords } from "./basket.js";
import { euros } from "./money.js";
import { products } from "./products.js";

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

async function showRoute() {
  const wanted = location.hash === "#what-sells";
  shop.hidden = wanted;
  report.hidden = !wanted;
  if (wanted) {
    // The charts are many times the rest of the page, and few visitors open them.
    const { draw } = await import("./report.js");
    draw(report);
  }
}

document.querySelector("#products").replaceChildren(...products.map(card));
addEventListener("hashchange", showRoute);
showRoute();

// First what can be clicked; then, when they are nearly in view, the pictures.
import("./pictures.js").then(({ showWhenNear }) => showWhenNear(document.querySelectorAll("img[data-src]")));
