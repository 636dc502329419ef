// Filters, links to single cells, and the packed logs. Whatever comes from a log gets into the page as text.
(() => {
  'use strict';
  const root = document.documentElement;
  const index = JSON.parse(document.getElementById('index').textContent);
  const form = document.querySelector('form.filters');
  const status = document.querySelector('#cells .status');
  const title = document.title;
  const shelf = document.getElementById('cells');
  const FILTERS = [...form.querySelectorAll('select')].map((one) => one.name);
  const INVISIBLE = /[INVISIBLE]/gu; // put in when the page is made, so that there is one list of them
  const FROM_DEVICE = new Set(('connect put-token subscribe unsubscribe telemetry disconnect http-request amqp-open attach ping'
    + ' c2d-acknowledged method-answered twin sent send_failed').split(' '));
  const TO_DEVICE = new Set(('connack puback put-token-answered disposition http-response c2d-sent method-sent cut command'
    + ' sasl-refused websocket-refused').split(' '));

  // Packed parts ---------------------------------------------------------------------------------------------------------

  const inflated = new Map();
  async function inflate(packed) {
    const bytes = Uint8Array.from(atob(packed), (letter) => letter.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate-raw'));
    return JSON.parse(await new Response(stream).text());
  }
  async function packed(part, number) {
    const place = part + Math.floor(number / index.batch);
    if (!inflated.has(place)) inflated.set(place, inflate(index[part][Math.floor(number / index.batch)]));
    return (await inflated.get(place))[number % index.batch];
  }
  let names = null;
  async function numberOf(name) {
    names ??= inflate(index.names);
    return (await names).indexOf(name);
  }

  // Cells ----------------------------------------------------------------------------------------------------------------

  const byName = (name) => document.getElementById('cell=' + name);
  function hide(article) {
    article.setAttribute('hidden', 'until-found');
  }
  async function article(name) {
    const there = byName(name);
    if (there) return there;
    const number = await numberOf(name);
    if (number < 0 || !index.html.length) return null;
    const html = await packed('html', number);
    const made = byName(name); // while we waited
    if (made) return made;
    const template = document.createElement('template');
    template.innerHTML = html; // made and escaped when the page was
    const [one] = template.content.children;
    hide(one);
    shelf.append(one);
    return one;
  }
  async function show(name) {
    const problem = await article(name).then((one) => {
      for (const other of shelf.querySelectorAll('article.cell:not([hidden])')) if (other !== one) hide(other);
      if (!one) return name ? 'There is no cell ' + visible(name) + '.' : '';
      one.removeAttribute('hidden');
      one.focus({ preventScroll: true });
      one.scrollIntoView({ block: 'start' });
      return '';
    }, (error) => 'This cell cannot be unpacked here (' + error + '). Its log has everything.');
    status.textContent = problem;
    mark(name, !problem);
  }
  function mark(name, there) {
    for (const link of document.querySelectorAll('table.matrix a.e')) {
      if (link.hash === fragment({ cell: name })) link.setAttribute('aria-current', 'true');
      else link.removeAttribute('aria-current');
    }
    document.title = name && there ? visible(name) + ' · ' + title : title;
  }
  function leave() {
    const reading = document.activeElement.closest('article.cell, table.matrix'); // whoever is elsewhere stays there
    for (const one of shelf.querySelectorAll('article.cell:not([hidden])')) hide(one);
    const link = document.querySelector('table.matrix a[aria-current]');
    link?.removeAttribute('aria-current');
    status.textContent = '';
    document.title = title;
    if (reading) link?.focus();
  }

  // Traces ---------------------------------------------------------------------------------------------------------------

  const visible = (text) => text.replace(INVISIBLE, (one) => '⟨U+' + one.codePointAt(0).toString(16).toUpperCase().padStart(4, '0') + '⟩');
  function element(name, text, className) {
    const made = document.createElement(name);
    if (text !== undefined) made.textContent = visible(String(text));
    if (className) made.className = className;
    return made;
  }
  function* said(fields, prefix = '') {
    for (const [name, value] of Object.entries(fields)) {
      if (value !== null && typeof value === 'object' && !Array.isArray(value) && Object.keys(value).length) yield* said(value, prefix + name + '.');
      else yield [prefix + name, typeof value === 'string' ? value : JSON.stringify(value)];
    }
  }
  function arrow(kind, fields) {
    if (fields.by) return fields.by === 'hub' ? '←' : '→';
    return FROM_DEVICE.has(kind) ? '→' : TO_DEVICE.has(kind) ? '←' : '';
  }
  function line([at, source, kind, fields], part) {
    const row = element('tr', undefined, 's-' + source);
    row.append(element('td', (at / 1e3).toFixed(3), 'num'));
    if (part === 'trace') {
      row.append(element('td', source), element('td', arrow(kind, fields)), element('td', kind, 'kind'));
      const cell = element('td');
      for (const [name, value] of said(fields)) cell.append(element('i', name), ' ', element('bdi', value), ' ');
      row.append(cell);
      if (fields.record?.level === 'Error' || 'error' in fields || kind === 'cut') row.classList.add('bad');
    } else {
      row.append(element('td', fields.text ?? JSON.stringify(fields), 'text'));
      if (/\b(WARN(ING)?|ERROR|CRITICAL|FATAL|SEVERE)\b/i.test(String(fields.text).slice(0, 80))) row.classList.add('bad');
    }
    return row;
  }
  function gap(count, part) {
    const row = element('tr', undefined, 'gap');
    const cell = element('td', count + ' left out here');
    cell.colSpan = part === 'trace' ? 5 : 2;
    row.append(cell);
    return row;
  }
  function table({ rows, gaps }, part) {
    const made = element('table', undefined, part);
    const head = made.createTHead().insertRow();
    for (const name of part === 'trace' ? ['s', 'source', '', 'event', 'fields'] : ['s', 'line']) {
      const cell = element('th', name || 'direction');
      cell.scope = 'col';
      if (!name) cell.className = 'narrow';
      head.append(cell);
    }
    const body = made.createTBody();
    rows.forEach((row, place) => {
      if (gaps[place]) body.append(gap(gaps[place], part));
      body.append(line(row, part));
    });
    if (gaps[rows.length]) body.append(gap(gaps[rows.length], part));
    return made;
  }
  function finder(body) {
    const label = element('label', 'find ');
    const input = element('input');
    input.type = 'search';
    input.addEventListener('input', () => {
      const wanted = input.value.toLowerCase();
      for (const row of body.rows) row.hidden = wanted !== '' && !row.textContent.toLowerCase().includes(wanted);
    });
    label.append(input);
    return label;
  }
  async function unfold(details) {
    if (details.dataset.done) return;
    details.dataset.done = 'yes';
    const { part } = details.dataset;
    const region = element('div', undefined, 'scroll tall');
    region.tabIndex = 0;
    region.setAttribute('role', 'region');
    region.setAttribute('aria-label', details.querySelector('summary').textContent);
    try {
      const made = table(await packed(part, Number(details.closest('article').dataset.number)), part);
      region.append(made);
      details.append(finder(made.tBodies[0]), region);
    } catch (error) {
      details.append(element('p', 'This cannot be unpacked here (' + error + '). The log has everything.', 'warn'));
    }
  }

  // Filters and the address ----------------------------------------------------------------------------------------------

  function fragment(wanted) {
    const parts = Object.entries(wanted).filter(([, value]) => value);
    return parts.length ? '#' + parts.map(([name, value]) => name + '=' + encodeURIComponent(value).replace(/[!'()*]/g, (one) => '%' + one.charCodeAt(0).toString(16).toUpperCase())).join('&') : '';
  }
  function decoded(text) {
    try {
      return decodeURIComponent(text);
    } catch {
      return text; // which is none of ours, and nothing has such a name
    }
  }
  function read() {
    const found = {};
    for (const part of location.hash.slice(1).split('&')) {
      const [name, ...value] = part.split('=');
      if (value.length) found[name] = decoded(value.join('='));
    }
    return found;
  }
  const matches = (data, wanted) => FILTERS.every((name) => {
    const has = data[name];
    return !wanted[name] || has === undefined || (name === 'verdict' ? has.split('|') : name === 'transport' ? has.split(' ') : [has]).includes(wanted[name]);
  });
  function filter(wanted, unknown) {
    let shown = 0;
    const columns = new Set();
    for (const row of document.querySelectorAll('table.matrix tbody tr')) {
      let any = false;
      [...row.cells].slice(1).forEach((cell, column) => {
        for (const entry of cell.children) {
          entry.hidden = !matches({ ...row.dataset, ...entry.dataset }, wanted);
          if (!entry.hidden) { any = true; shown += 1; columns.add(column); }
        }
      });
      row.hidden = !any;
    }
    const all = Object.keys(wanted).every((name) => !FILTERS.includes(name));
    columnsOf(columns, all);
    for (const row of document.querySelectorAll('table.claims tbody tr, table.answers tbody tr')) row.hidden = !matches(row.dataset, wanted);
    for (const one of shelf.querySelectorAll('article.cell')) one.classList.toggle('out', !matches(one.dataset, wanted));
    const chosen = FILTERS.map((name) => wanted[name]).filter(Boolean).map(visible).join(', ');
    const count = shown + ' of ' + document.querySelectorAll('table.matrix .e').length + ' (' + chosen + ')';
    const none = shown ? '' : ': nothing is like that. “Show all” takes the filters back.';
    const absent = unknown.length ? 'Nothing here is called ' + unknown.map(visible).join(', ') + '. ' : '';
    form.querySelector('output').textContent = absent + (all ? '' : count + none);
  }
  function columnsOf(columns, all) {
    const [groups, single] = document.querySelector('table.matrix').tHead.rows;
    let column = 0;
    for (const group of [...groups.cells].slice(1)) {
      group.dataset.wide ??= group.colSpan;
      const places = Array.from({ length: Number(group.dataset.wide) }, () => column++);
      const wide = places.filter((place) => all || columns.has(place)).length;
      group.hidden = !wide;
      group.colSpan = wide || 1;
    }
    [...single.cells].forEach((cell, place) => { cell.hidden = !(all || columns.has(place)); });
    for (const row of document.querySelectorAll('table.matrix tbody tr')) {
      [...row.cells].slice(1).forEach((cell, place) => { cell.hidden = !(all || columns.has(place)); });
    }
  }
  let cell = '';
  function follow() {
    if (location.hash.length > 1 && !location.hash.includes('=')) return; // a part of the page
    const wanted = read();
    const unknown = [];
    for (const name of FILTERS) {
      const select = form.elements[name];
      select.value = wanted[name] ?? '';
      if (select.selectedIndex >= 0) continue;
      select.value = '';
      unknown.push(wanted[name]);
      delete wanted[name];
    }
    filter(wanted, unknown);
    if ((wanted.cell ?? '') === cell) return;
    cell = wanted.cell ?? '';
    if (cell) show(cell);
    else leave();
  }
  function go(hash) {
    history.pushState(null, '', hash || '#');
    follow();
  }
  function wish(cellName) {
    const wanted = Object.fromEntries(FILTERS.map((name) => [name, form.elements[name].value]));
    return fragment({ ...wanted, cell: cellName });
  }
  document.querySelector('table.matrix').addEventListener('focusin', (event) => {
    // Once the browser has scrolled, which leaves it under the heads.
    requestAnimationFrame(() => event.target.scrollIntoView({ block: 'nearest', inline: 'nearest' }));
  });
  form.addEventListener('change', () => go(wish(cell)));
  form.addEventListener('reset', (event) => {
    event.preventDefault();
    go(fragment({ cell }));
  });
  form.addEventListener('submit', (event) => event.preventDefault());
  document.addEventListener('click', (event) => {
    const link = event.target.closest('a[href^="#cell="]');
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault(); // the filters stay in the address
    const name = decoded(link.hash.slice('#cell='.length));
    if (name === cell) show(name);
    else go(wish(name));
  });
  document.addEventListener('keydown', (event) => {
    if (event.key === 'Escape' && cell && !(event.target instanceof HTMLInputElement)) go(wish(''));
  });
  document.addEventListener('toggle', (event) => { if (event.target.matches('details.log') && event.target.open) unfold(event.target); }, true);
  document.addEventListener('beforematch', (event) => {
    const found = event.target.closest('article.cell');
    if (!found) return;
    history.replaceState(null, '', wish(cell = found.id.slice('cell='.length)));
    mark(cell, true);
  });
  document.getElementById('unpack')?.addEventListener('click', async (event) => {
    event.target.disabled = true;
    for (const name of await (names ??= inflate(index.names))) await article(name);
    event.target.closest('.packed').remove();
  });
  for (const one of shelf.querySelectorAll('article.cell')) hide(one);
  root.classList.add('js');
  addEventListener('hashchange', follow);
  addEventListener('popstate', follow);
  follow();
})();
