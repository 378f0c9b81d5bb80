// Puts each message that arrives on top of the list.
const log = document.querySelector('[data-feed]');
const list = log.querySelector('ol');

const clock = new Intl.DateTimeFormat('fa-IR', { timeZone: 'Asia/Tehran', hour: '2-digit', minute: '2-digit', hourCycle: 'h23' });

function element(name, text) {
  const made = document.createElement(name);
  made.textContent = text;
  return made;
}

new EventSource(log.dataset.feed).onmessage = (event) => {
  const message = JSON.parse(event.data);
  const item = document.createElement('li');
  const header = document.createElement('header');
  const time = element('time', clock.format(new Date(message.at)));
  time.dateTime = message.at;
  header.append(element('b', message.from), ' ', time);
  item.append(header, element('pre', message.text));
  if (message.code) {
    const code = element('p', '');
    const digits = element('bdi', message.code);
    code.className = 'code';
    digits.dir = 'ltr';
    code.append(element('span', 'رمز'), ' ', digits);
    item.append(code);
  }
  list.prepend(item);
  document.querySelector('.empty').hidden = true;
};
