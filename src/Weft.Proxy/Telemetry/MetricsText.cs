// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Text;
using Weft.Proxy.Overload;

namespace Weft.Proxy.Telemetry;

/// <summary>Writes metrics in Prometheus' text format (version 0.0.4). Series of several loops with the same labels become one.</summary>
internal sealed class MetricsText
{
    public const string ContentType = "text/plain; version=0.0.4; charset=utf-8";

    private readonly StringBuilder _text = new();

    /// <summary>Istio's metrics of all loops.</summary>
    public void AddLoops(IReadOnlyList<LoopMetrics> loops)
    {
        var requests = Gather(loops, loop => loop.Requests.ToArray(), series => series.Labels);
        if (requests.Count > 0)
        {
            Type("istio_requests_total", "counter");
            foreach (var (labels, group) in requests)
            {
                Sample("istio_requests_total", labels, group.Sum(series => series.Requests));
            }

            Messages("istio_request_messages_total", requests, series => series.RequestMessages);
            Messages("istio_response_messages_total", requests, series => series.ResponseMessages);
            Histograms("istio_request_duration_milliseconds", requests, series => series.Duration);
            Histograms("istio_request_bytes", requests, series => series.RequestBytes);
            Histograms("istio_response_bytes", requests, series => series.ResponseBytes);
        }

        var tcp = Gather(loops, loop => loop.Tcp.ToArray(), series => series.Labels);
        if (tcp.Count > 0)
        {
            Counters("istio_tcp_connections_opened_total", tcp, series => series.Opened);
            Counters("istio_tcp_connections_closed_total", tcp, series => series.Closed);
            Counters("istio_tcp_sent_bytes_total", tcp, series => series.Sent);
            Counters("istio_tcp_received_bytes_total", tcp, series => series.Received);
        }

        Type("weft_limit_hits_total", "counter");
        foreach (var row in ProxyLimits.All)
        {
            Sample("weft_limit_hits_total", $"limit=\"{row.Name}\"", loops.Sum(loop => loop.HitsOf(row.Limit)));
        }

        Add("weft_metric_series_overflow_total", "counter", "", loops.Sum(loop => loop.Overflowed));
    }

    /// <summary>How far the proxy is from its own limits, and what it gave up.</summary>
    public void AddOverload(OverloadGuard guard, IEnumerable<LifeCounters> loops)
    {
        var counters = loops.ToArray();
        Type("weft_overload_pressure", "gauge");
        Sample("weft_overload_pressure", "resource=\"memory\"", guard.Pressure.Memory);
        Sample("weft_overload_pressure", "resource=\"descriptors\"", guard.Pressure.Descriptors);
        Sample("weft_overload_pressure", "resource=\"loop_delay\"", guard.Pressure.LoopDelay);
        Add("weft_overload_level", "gauge", "", (int)guard.Levels.Highest);
        Add("weft_overload_refused_requests_total", "counter", "", counters.Sum(loop => loop.Refused));
        Add("weft_overload_closed_idle_total", "counter", "", counters.Sum(loop => loop.IdleClosed));
    }

    /// <summary>A metric with one value. Labels are written as in the format, without braces.</summary>
    public void Add(string name, string type, string labels, double value)
    {
        Type(name, type);
        Sample(name, labels, value);
    }

    /// <summary>A metric with one value for each set of labels.</summary>
    public void AddFamily(string name, string type, IEnumerable<(string Labels, double Value)> samples)
    {
        Type(name, type);
        foreach (var (labels, value) in samples)
        {
            Sample(name, labels, value);
        }
    }

    public override string ToString() => _text.ToString();

    private static SortedDictionary<string, List<T>> Gather<T>(
        IReadOnlyList<LoopMetrics> loops, Func<LoopMetrics, T[]> list, Func<T, string> labels)
    {
        var groups = new SortedDictionary<string, List<T>>(StringComparer.Ordinal);
        foreach (var series in loops.SelectMany(list))
        {
            if (!groups.TryGetValue(labels(series), out var group))
            {
                groups[labels(series)] = group = [];
            }

            group.Add(series);
        }

        return groups;
    }

    private void Counters(string name, SortedDictionary<string, List<TcpSeries>> groups, Func<TcpSeries, long> value)
    {
        Type(name, "counter");
        foreach (var (labels, group) in groups)
        {
            Sample(name, labels, group.Sum(value));
        }
    }

    /// <summary>Only gRPC has messages.</summary>
    private void Messages(string name, SortedDictionary<string, List<RequestSeries>> groups, Func<RequestSeries, long> value)
    {
        var typed = false;
        foreach (var (labels, group) in groups)
        {
            if (group[0].Key.Protocol != SeriesProtocol.Grpc)
            {
                continue;
            }

            if (!typed)
            {
                Type(name, "counter");
                typed = true;
            }

            Sample(name, labels, group.Sum(value));
        }
    }

    private void Histograms(
        string name, SortedDictionary<string, List<RequestSeries>> groups, Func<RequestSeries, Histogram> histogram)
    {
        Type(name, "histogram");
        foreach (var (labels, group) in groups)
        {
            long count = 0;
            for (var bucket = 0; bucket < Histogram.BucketCount; bucket++)
            {
                count += group.Sum(series => histogram(series).CountOf(bucket));
                Sample($"{name}_bucket", $"{labels},le=\"{Histogram.BucketNames[bucket]}\"", count);
            }

            // The count is the buckets' sum, so that a scrape in the middle of an addition is never inconsistent.
            Sample($"{name}_sum", labels, group.Sum(series => histogram(series).Sum) / 1000.0);
            Sample($"{name}_count", labels, count);
        }
    }

    private void Type(string name, string type) => _text.Append("# TYPE ").Append(name).Append(' ').Append(type).Append('\n');

    private void Sample(string name, string labels, double value)
    {
        _text.Append(name);
        if (labels.Length > 0)
        {
            _text.Append('{').Append(labels).Append('}');
        }

        _text.Append(' ').Append(value.ToString("R", CultureInfo.InvariantCulture)).Append('\n');
    }
}
