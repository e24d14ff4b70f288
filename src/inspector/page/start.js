import { App } from './app.js';

const root = document.getElementById('page');
if (root) new App(root).start();
