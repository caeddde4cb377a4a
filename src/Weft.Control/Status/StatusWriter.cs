// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging;
using Weft.Control.Serving;
using Weft.Control.Sources;
using Weft.Kubernetes;
using Weft.Model.Diagnostics;

namespace Weft.Control.Status;

/// <summary>
/// Writes into the objects themselves what has become of them: conditions, findings, and an Event when something has gone wrong. It writes only
/// what has changed, only when the mesh has been quiet for a moment (or restless for long), and never faster than a fixed rate.
/// </summary>
internal sealed partial class StatusWriter
{
    private const string Component = "weft-control";
    private readonly KubernetesClient _client;
    private readonly ApiSources _sources;
    private readonly ObjectTable _objects;
    private readonly ProxyTable _proxies;
    private readonly PlanLoop _loop;
    private readonly StatusLimits _limits;
    private readonly TimeProvider _time;
    private readonly ILogger<StatusWriter> _log;
    private readonly VerdictTable _table = new();
    private readonly Dictionary<ObjectKey, string> _written = [];
    private readonly Dictionary<ObjectKey, HashSet<string>> _told = [];

    public StatusWriter(
        KubernetesClient client, ApiSources sources, ObjectTable objects, (ProxyTable Proxies, PlanLoop Loop) serving, ControlOptions options, (TimeProvider Time, ILogger<StatusWriter> Log) surroundings)
    {
        (_client, _sources, _objects, _limits) = (client, sources, objects, options.Status);
        (_proxies, _loop) = serving;
        (_time, _log) = surroundings;
    }

    public async Task RunAsync(CancellationToken cancellation)
    {
        await _sources.WhenSyncedAsync(cancellation);
        using var timer = new PeriodicTimer(_limits.Quiet, _time);
        var (written, seen, restless) = ("", "", 0);
        while (await timer.WaitForNextTickAsync(cancellation))
        {
            var now = Fingerprint();
            restless = now == written ? 0 : restless + 1;
            if (now != written && (now == seen || restless >= _limits.MaxRestlessTicks))
            {
                await WriteAllAsync(cancellation);
                (written, restless) = (now, 0);
            }

            seen = now;
        }
    }

    private string Fingerprint() => string.Create(
        CultureInfo.InvariantCulture,
        $"{_objects.Changes} {_loop.View.Snapshot} {_loop.View.Findings.Length} {string.Join(',', _proxies.Statuses.Select(p => $"{p.NodeId} {string.Join(' ', p.Types.Select(t => t.State + t.Acknowledged.ToString(CultureInfo.InvariantCulture)))}"))}");

    private async Task WriteAllAsync(CancellationToken cancellation)
    {
        var view = _loop.View;
        var findings = view.Findings.ToLookup(f => (f.Origin.Kind, f.Origin.Namespace, f.Origin.Name));
        var proxies = _proxies.Statuses;
        var entries = _objects.Entries.Where(e => e.Key.Group.EndsWith("istio.io", StringComparison.Ordinal)).ToList();
        Forget(entries.Select(e => e.Key).ToHashSet());
        var budget = _limits.WritesPerRound;
        foreach (var entry in entries)
        {
            var verdict = _table.Judge(entry, findings[(entry.Key.Kind, entry.Key.Namespace, entry.Key.Name)], view.Snapshot, proxies);
            if (_written.GetValueOrDefault(entry.Key) == verdict.Signature || Kind(entry.Key) is not { } kind
                || _sources.Of(kind).Find(entry.Key.Namespace, entry.Key.Name) is not { } item)
            {
                continue;
            }

            if (budget-- == 0)
            {
                await Task.Delay(_limits.Pause, _time, cancellation);
                budget = _limits.WritesPerRound;
            }

            await WriteAsync(kind, entry.Key, item, verdict, cancellation);
        }
    }

    private async Task WriteAsync(ResourceKind kind, ObjectKey key, JsonObject item, Verdict verdict, CancellationToken cancellation)
    {
        try
        {
            var status = verdict.ToJson(item, _time.GetUtcNow());
            if (!Says(item["status"], status))
            {
                await _client.PatchStatusAsync(kind, key.Namespace, key.Name, new JsonObject { ["status"] = status }, cancellation);
            }

            _written[key] = verdict.Signature;
            await TellAsync(kind, key, item, verdict, cancellation);
        }
        catch (KubernetesException refused)
        {
            // Gone, or of a kind without a status: nothing that trying again would change. Another version comes with a change of its own.
            _written[key] = verdict.Signature;
            LogRefused(key, refused.Message);
        }
        catch (Exception away) when (away is HttpRequestException or TimeoutException or IOException)
        {
            LogFailed(key, away.Message);
        }
    }

    /// <summary>One Event for each failure that was not there before.</summary>
    private async Task TellAsync(ResourceKind kind, ObjectKey key, JsonObject item, Verdict verdict, CancellationToken cancellation)
    {
        var failures = new List<(string Reason, string Message)>();
        failures.AddRange(verdict.Accepted.Status == Condition.False ? [(verdict.Accepted.Reason, verdict.Accepted.Message)] : []);
        failures.AddRange(verdict.Programmed is { Status: Condition.False, Reason: "Rejected" } refused ? [(refused.Reason, refused.Message)] : []);
        failures.AddRange(verdict.Findings.Where(f => f.Severity != Severity.Error && IstioCodes.Of(f).Level == Severity.Error)
            .Select(f => (IstioCodes.NameOf(IstioCodes.Of(f).Code), $"{f.Fact} {f.Cure}".TrimEnd())));
        var told = _told.GetValueOrDefault(key) ?? [];
        foreach (var (reason, message) in failures.Where(f => !told.Contains(f.Message)).Take(_limits.EventsPerChange))
        {
            await _client.CreateAsync(Kinds.Event, key.Namespace, Event(kind, item, reason, message), cancellation);
        }

        _told[key] = failures.Select(f => f.Message).ToHashSet(StringComparer.Ordinal);
    }

    private JsonObject Event(ResourceKind kind, JsonObject item, string reason, string message)
    {
        var now = _time.GetUtcNow().ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
        return new JsonObject
        {
            ["apiVersion"] = "v1",
            ["kind"] = "Event",
            ["metadata"] = new JsonObject { ["generateName"] = item.Name() + ".", ["namespace"] = item.Namespace() },
            ["involvedObject"] = new JsonObject
            {
                ["apiVersion"] = kind.ApiVersion,
                ["kind"] = kind.Kind,
                ["namespace"] = item.Namespace(),
                ["name"] = item.Name(),
                ["uid"] = item.Uid(),
                ["resourceVersion"] = item.ResourceVersion(),
            },
            ["type"] = "Warning",
            ["reason"] = reason,
            ["message"] = message,
            ["source"] = new JsonObject { ["component"] = Component },
            ["reportingComponent"] = Component,
            ["reportingInstance"] = "",
            ["firstTimestamp"] = now,
            ["lastTimestamp"] = now,
            ["count"] = 1,
        };
    }

    /// <summary>True if a patch would change nothing: a control plane that starts again finds its own words.</summary>
    private static bool Says(JsonNode? present, JsonObject wanted) => present is JsonObject status
        && wanted.All(field => field.Value is null ? status[field.Key] is null : JsonNode.DeepEquals(status[field.Key], field.Value));

    private static ResourceKind? Kind(ObjectKey key) => Kinds.All.FirstOrDefault(kind => kind.Group == key.Group && kind.Kind == key.Kind);

    private void Forget(HashSet<ObjectKey> present)
    {
        _table.Keep(present);
        foreach (var gone in _written.Keys.Where(key => !present.Contains(key)).ToList())
        {
            _written.Remove(gone);
            _told.Remove(gone);
        }
    }

    [LoggerMessage(3201, LogLevel.Debug, "The status of {Key} is not written: {Reason}")]
    private partial void LogRefused(ObjectKey key, string reason);

    [LoggerMessage(3202, LogLevel.Warning, "Failed to write the status of {Key}: {Reason} The next change tries again.")]
    private partial void LogFailed(ObjectKey key, string reason);
}
