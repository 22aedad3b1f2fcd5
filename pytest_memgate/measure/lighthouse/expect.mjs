// A configuration of Lighthouse that also asks whether the page shows an element. MEMGATE_EXPECT is its CSS selector,
// MEMGATE_CONFIG the file of another configuration that this one adds to, if there is one.
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const selector = process.env.MEMGATE_EXPECT;

async function given() {
  const path = process.env.MEMGATE_CONFIG;
  if (!path) return { extends: "lighthouse:default" };
  if (path.endsWith(".json")) return createRequire(import.meta.url)(path);
  return (await import(pathToFileURL(path).href)).default;
}

function look(selector) {
  try {
    const found = [...document.querySelectorAll(selector)];
    return { there: found.length > 0, shown: found.some((element) => element.getClientRects().length > 0) };
  } catch (error) {
    return { error: String(error.message || error) };
  }
}

class Gatherer {
  meta = { supportedModes: ["navigation"] };
  startInstrumentation() {}
  startSensitiveInstrumentation() {}
  stopSensitiveInstrumentation() {}
  stopInstrumentation() {}
  getArtifact({ driver }) {
    return driver.executionContext.evaluate(look, { args: [selector] });
  }
}

class Audit {
  static meta = {
    id: "memgate-expect",
    title: "The page shows what it must show",
    description: "Whether the element that the page must show is there.",
    scoreDisplayMode: "informative",
    requiredArtifacts: ["MemgateExpect"],
  };
  static audit({ MemgateExpect }) {
    return { score: 1, details: { type: "debugdata", ...MemgateExpect } };
  }
}

const config = await given();

export default {
  ...config,
  artifacts: [...(config.artifacts || []), { id: "MemgateExpect", gatherer: { implementation: Gatherer } }],
  audits: [...(config.audits || []), { implementation: Audit }],
};
