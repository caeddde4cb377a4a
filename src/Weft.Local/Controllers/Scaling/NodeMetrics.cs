// SPDX-License-Identifier: Apache-2.0

using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json.Nodes;
using Weft.Kubernetes;
using Weft.Local.Serving;

namespace Weft.Local.Controllers.Scaling;

/// <summary>
/// What the pods of this node use: processor time and memory of their processes, and the requests that their proxies count. A rate
/// is the difference of two looks, so the first look knows none.
/// </summary>
public sealed class NodeMetrics(MeshHome home, TimeProvider clock, HttpClient http) : IPodMetrics
{
    /// <summary>The metric that every autoscaler of requests may name; Istio's own name means the same.</summary>
    public const string RequestsPerSecond = "requests_per_second";
    private const string IstioRequests = "istio_requests_total";
    private const int ProxyPort = 15020;
    private const int MaxStatsBytes = 4 << 20;

    private static readonly TimeSpan _fresh = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(2);

    private readonly ConcurrentDictionary<string, Rate> _rates = new(StringComparer.Ordinal);
    private (DateTimeOffset At, Dictionary<(string Uid, string Container), int> Pids, ProcessUse Use)? _last;

    public async ValueTask<double?> ResourceAsync(JsonObject pod, string? container, string resource, CancellationToken ct)
    {
        var look = await LookAsync(ct);
        var pids = look.Pids.Where(pair => pair.Key.Uid == pod.Uid() && (container is null || pair.Key.Container == container)).Select(pair => pair.Value).ToList();
        if (pids.Count == 0)
        {
            return null;
        }

        return resource switch
        {
            "memory" => pids.Sum(look.Use.MemoryOf),
            "cpu" => RateOf($"cpu/{pod.Uid()}/{container}/{string.Join('-', pids.Order())}", pids.Sum(look.Use.CpuSecondsOf), look.At),
            _ => null,
        };
    }

    public async ValueTask<double?> PodMetricAsync(JsonObject pod, string metric, CancellationToken ct)
    {
        if (metric is not (RequestsPerSecond or IstioRequests) || pod.Text("status", "podIP") is not { Length: > 0 } address)
        {
            return null;
        }

        using var patience = CancellationTokenSource.CreateLinkedTokenSource(ct);
        patience.CancelAfter(_patience);
        try
        {
            var host = address.Contains(':', StringComparison.Ordinal) ? $"[{address}]" : address;
            using var response = await http.GetAsync(new Uri($"http://{host}:{ProxyPort}/stats/prometheus"), HttpCompletionOption.ResponseContentRead, patience.Token);
            if (!response.IsSuccessStatusCode || response.Content.Headers.ContentLength > MaxStatsBytes)
            {
                return null;
            }

            return RateOf($"requests/{pod.Uid()}", RequestsIn(await response.Content.ReadAsStringAsync(patience.Token)), clock.GetUtcNow());
        }
        catch (Exception unreachable) when (unreachable is HttpRequestException || (unreachable is OperationCanceledException && !ct.IsCancellationRequested))
        {
            // A pod without a proxy, or one that is just ending, has no such metric.
            return null;
        }
    }

    /// <summary>The requests that the pod has served, of the proxy's text.</summary>
    internal static double RequestsIn(string text)
    {
        var sum = 0.0;
        foreach (var line in text.AsSpan().EnumerateLines())
        {
            if (line.StartsWith(IstioRequests + "{", StringComparison.Ordinal) && line.Contains("reporter=\"destination\"", StringComparison.Ordinal)
                && double.TryParse(line[(line.LastIndexOf('}') + 1)..], NumberStyles.Float, CultureInfo.InvariantCulture, out var count))
            {
                sum += count;
            }
        }

        return sum;
    }

    private async ValueTask<(DateTimeOffset At, Dictionary<(string Uid, string Container), int> Pids, ProcessUse Use)> LookAsync(CancellationToken ct)
    {
        if (_last is { } last && clock.GetUtcNow() - last.At < _fresh)
        {
            return last;
        }

        var status = await new NodeClient(home.NodeSocket).StatusAsync(ct);
        var pids = new Dictionary<(string, string), int>();
        foreach (var pod in status.Objects("pods"))
        {
            foreach (var container in pod.Objects("containers"))
            {
                if (container.Number("pid") is > 0 and { } pid)
                {
                    pids[(pod.Text("uid") ?? "", container.Text("name") ?? "")] = (int)pid;
                }
            }
        }

        var look = (clock.GetUtcNow(), pids, ProcessUse.Read());
        _last = look;
        return look;
    }

    private double? RateOf(string key, double total, DateTimeOffset at)
    {
        var rate = _rates.GetOrAdd(key, _ => new Rate());
        return rate.Next(total, at);
    }

    private sealed class Rate
    {
        private (double Total, DateTimeOffset At)? _before;
        private double? _present;

        public double? Next(double total, DateTimeOffset at)
        {
            // A counter that fell has started anew.
            if (_before is { } before && at - before.At is var span && span > TimeSpan.FromSeconds(1))
            {
                _present = total >= before.Total ? (total - before.Total) / span.TotalSeconds : null;
                _before = (total, at);
            }

            _before ??= (total, at);
            return _present;
        }
    }
}
