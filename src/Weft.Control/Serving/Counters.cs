// SPDX-License-Identifier: Apache-2.0

using System.Collections.Concurrent;
using System.Globalization;
using System.Text;

namespace Weft.Control.Serving;

/// <summary>The control plane's numbers under the names that Istio's dashboards ask for, in Prometheus' text form.</summary>
public sealed class Counters
{
    private static readonly double[] _bounds = [0.1, 0.25, 0.5, 1, 3, 5, 10, 20, 30];
    private readonly ConcurrentDictionary<string, long> _pushes = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, long> _rejects = new(StringComparer.Ordinal);
    private readonly Lock _gate = new();
    private readonly long[] _buckets = new long[_bounds.Length + 1];
    private double _convergenceSum;
    private long _csr;
    private long _authenticationFailures;

    /// <summary>A response of a type (cds, eds, lds, rds) was sent.</summary>
    public void Pushed(string type) => _pushes.AddOrUpdate(type, 1, static (_, count) => count + 1);

    /// <summary>A proxy refused a response of a type.</summary>
    public void Rejected(string type) => _rejects.AddOrUpdate(type, 1, static (_, count) => count + 1);

    public void SigningRequested() => Interlocked.Increment(ref _csr);

    public void AuthenticationFailed() => Interlocked.Increment(ref _authenticationFailures);

    /// <summary>A proxy has confirmed everything that follows from a change.</summary>
    public void Converged(TimeSpan after)
    {
        var seconds = after.TotalSeconds;
        var bucket = 0;
        while (bucket < _bounds.Length && seconds > _bounds[bucket])
        {
            bucket++;
        }

        lock (_gate)
        {
            _buckets[bucket]++;
            _convergenceSum += seconds;
        }
    }

    /// <summary>Everything, with the gauges as they are now.</summary>
    public string Render(int proxies, int services, int virtualServices, int brokenObjects, long issued)
    {
        var text = new StringBuilder();
        Gauge(text, "pilot_xds", "Proxies that are connected.", proxies);
        Gauge(text, "pilot_services", "Services known.", services);
        Gauge(text, "pilot_virt_services", "VirtualServices in force.", virtualServices);
        Gauge(text, "weft_control_broken_objects", "Objects whose newest version has an error and is not in force.", brokenObjects);
        Family(text, "pilot_xds_pushes", "counter", "Responses sent, by type.");
        foreach (var (type, count) in _pushes.OrderBy(pair => pair.Key, StringComparer.Ordinal))
        {
            Line(text, $"pilot_xds_pushes{{type=\"{type}\"}}", count);
        }

        Counter(text, "pilot_total_xds_rejects", "Responses that proxies refused.", _rejects.Values.Sum());
        foreach (var (type, count) in _rejects.OrderBy(pair => pair.Key, StringComparer.Ordinal))
        {
            Counter(text, $"pilot_xds_{type}_reject", $"Responses of type {type} that proxies refused.", count);
        }

        Convergence(text);
        Counter(text, "citadel_server_csr_count", "Signing requests received.", Interlocked.Read(ref _csr));
        Counter(text, "citadel_server_success_cert_issuance_count", "Certificates signed.", issued);
        Counter(
            text,
            "citadel_server_authentication_failure_count",
            "Calls whose caller could not be authenticated.",
            Interlocked.Read(ref _authenticationFailures));
        return text.ToString();
    }

    private static void Family(StringBuilder text, string name, string type, string help) =>
        text.Append("# HELP ").Append(name).Append(' ').Append(help).Append('\n')
            .Append("# TYPE ").Append(name).Append(' ').Append(type).Append('\n');

    private static void Line(StringBuilder text, string series, double value) =>
        text.Append(series).Append(' ').Append(value.ToString(CultureInfo.InvariantCulture)).Append('\n');

    private static void Gauge(StringBuilder text, string name, string help, long value)
    {
        Family(text, name, "gauge", help);
        Line(text, name, value);
    }

    private static void Counter(StringBuilder text, string name, string help, long value)
    {
        Family(text, name, "counter", help);
        Line(text, name, value);
    }

    private void Convergence(StringBuilder text)
    {
        const string Name = "pilot_proxy_convergence_time";
        Family(text, Name, "histogram", "Seconds from a change to a proxy's confirmation of all that follows from it.");
        lock (_gate)
        {
            var sum = 0L;
            for (var i = 0; i < _bounds.Length; i++)
            {
                sum += _buckets[i];
                Line(text, $"{Name}_bucket{{le=\"{_bounds[i].ToString(CultureInfo.InvariantCulture)}\"}}", sum);
            }

            sum += _buckets[^1];
            Line(text, $"{Name}_bucket{{le=\"+Inf\"}}", sum);
            Line(text, $"{Name}_sum", _convergenceSum);
            Line(text, $"{Name}_count", sum);
        }
    }
}
