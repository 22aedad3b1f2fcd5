// What the shop sells; the prices are those of shop/prices.py. The drawings are small, so they come with the code.
import apples from "./products/apples.svg";
import bread from "./products/bread.svg";
import coffee from "./products/coffee.svg";
import honey from "./products/honey.svg";
import tea from "./products/tea.svg";

export const products = [
  {
    article: "apples",
    cents: 320,
    unit: "a kilo",
    about: "Two old sorts from the orchard behind the hill, red and green mixed.",
    picture: apples,
  },
  {
    article: "bread",
    cents: 450,
    unit: "a loaf",
    about: "Sourdough of wheat and rye, baked overnight in the stone oven.",
    picture: bread,
  },
  {
    article: "coffee",
    cents: 1290,
    unit: "500 g",
    about: "Whole beans from one farm, roasted slowly on Tuesdays.",
    picture: coffee,
  },
  {
    article: "honey",
    cents: 780,
    unit: "a jar",
    about: "Lime blossom, from eleven hives on the edge of the town.",
    picture: honey,
  },
  {
    article: "tea",
    cents: 640,
    unit: "100 g",
    about: "Black leaves of the first picking, dark and a little smoky.",
    picture: tea,
  },
];
