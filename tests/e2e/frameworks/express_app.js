// Echoes how Express reads a request, with the usual middleware: `qs` for queries and forms, `method-override` in all its forms.
"use strict";
const express = require("express");
const methodOverride = require("method-override");

const app = express();
app.set("query parser", "extended");
const raw = (request, response, buffer) => { request.raw = buffer; };
app.use(express.json({ verify: raw }));
app.use(express.urlencoded({ extended: true, verify: raw }));
app.use(express.raw({ type: () => true, verify: raw }));
for (const header of ["X-HTTP-Method", "X-HTTP-Method-Override", "X-Method-Override"]) app.use(methodOverride(header));
app.use(methodOverride("_method", { methods: ["POST", "GET"] }));
app.use(methodOverride((request) => request.body && request.body._method));

app.use((request, response) => {
  const url = new URL(request.url, "http://echo");
  const type = (request.headers["content-type"] || "").toLowerCase();
  const form = type.startsWith("application/x-www-form-urlencoded");
  response.json({
    server: "express",
    method: request.method,
    path: decodeURIComponent(request.path),
    query: [...url.searchParams],
    nested: request.query,
    form: form && request.raw ? [...new URLSearchParams(request.raw.toString("utf8"))] : [],
    json: type.includes("json") && !Buffer.isBuffer(request.body) ? request.body ?? null : null,
    body: (request.raw || Buffer.alloc(0)).toString("base64"),
    headers: request.headers,
  });
});
app.use((error, request, response, next) => response.status(error.status || 500).json({ error: error.type || String(error) }));
app.listen(Number(process.argv[2]), "127.0.0.1");
