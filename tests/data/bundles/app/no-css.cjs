// webpack 4 has no CSS of its own, and no loader is installed for it.
module.exports = () => '';
