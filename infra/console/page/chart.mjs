import { useEffect, useRef } from 'preact/hooks';
import { html } from './parts.mjs';

const HEIGHT = 180;

/** A chart over time. `data` is uPlot's: seconds, then a list for each series. It is loaded when it is needed first. */
export function Chart({ data, series, label }) {
  const place = useRef(null);
  const chart = useRef(null);
  useEffect(() => {
    let gone = false;
    import('uplot').then(({ default: Plot }) => {
      if (gone || !place.current) return;
      const colors = getComputedStyle(document.documentElement);
      const color = (name) => colors.getPropertyValue(name);
      const line = { stroke: color('--line'), width: 1 };
      const axis = { stroke: color('--faint'), grid: line, ticks: line };
      const styled = series.map((it) => ({ ...it, stroke: color(it.stroke), width: 2, points: { show: false } }));
      const size = { width: place.current.clientWidth, height: HEIGHT };
      chart.current = new Plot({ ...size, axes: [axis, axis], series: [{}, ...styled] }, data, place.current);
    });
    const resized = new ResizeObserver(([entry]) => {
      chart.current?.setSize({ width: entry.contentRect.width, height: HEIGHT });
    });
    resized.observe(place.current);
    return () => {
      gone = true;
      resized.disconnect();
      chart.current?.destroy();
      chart.current = null;
    };
  }, []);
  useEffect(() => chart.current?.setData(data), [data]);
  return html`<div class="chart" ref=${place} role="img" aria-label=${label}></div>`;
}
