// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using Weft.Control.Serving;
using Weft.Control.Sources;
using Weft.Model.Diagnostics;

namespace Weft.Control.Status;

/// <summary>Judges objects at a moment when nothing moves. Remembers since which snapshot each object's version is in force.</summary>
internal sealed class VerdictTable
{
    private const int NamedProxies = 3;

    // What says that a patch, or a plugin, has no effect.
    private static readonly HashSet<string> _undone =
    [
        IstioMessages.PatchAddIgnored.Id, IstioMessages.PatchRemoveIgnored.Id, IstioMessages.PatchReplaceIgnored.Id,
        IstioMessages.PatchTargetNotSupported.Id, IstioMessages.PatchConditionNotSupported.Id, IstioMessages.WasmNotSupported.Id,
        ControlMessages.PatchMatchesNothing.Id, ControlMessages.PatchNotRunnable.Id, ControlMessages.PatchPartIgnored.Id,
    ];

    private readonly Dictionary<ObjectKey, (string Version, long Since)> _since = [];

    /// <summary>The verdict about an object.</summary>
    /// <param name="entry">The object.</param>
    /// <param name="findings">What the mesh as a whole shows about it.</param>
    /// <param name="snapshot">The newest that has been compiled.</param>
    /// <param name="proxies">All that are connected.</param>
    public Verdict Judge(TableEntry entry, IEnumerable<Diagnostic> findings, long snapshot, IReadOnlyList<ProxyStatus> proxies)
    {
        var all = entry.Diagnostics.Concat(findings).Distinct().OrderBy(f => IstioCodes.Of(f).Level).ThenBy(f => f.Id, StringComparer.Ordinal).ToList();
        return new Verdict(Accepted(entry), Programmed(entry, Since(entry, snapshot), proxies), Applied(entry, all, proxies), all);
    }

    /// <summary>A patch that does nothing must not look like one that is in force.</summary>
    private static Condition? Applied(TableEntry entry, List<Diagnostic> findings, IReadOnlyList<ProxyStatus> proxies)
    {
        if (entry.Key.Kind is not ("EnvoyFilter" or "WasmPlugin") || entry.IsBroken)
        {
            return null;
        }

        var undone = findings.Where(f => _undone.Contains(f.Id)).ToList();
        if (undone.Count == 0)
        {
            return proxies.Count == 0
                ? new Condition(Condition.Unknown, "NoProxies", "No proxy is connected.")
                : new Condition(Condition.True, "Applied", "Every patch is in force where it is meant to be.");
        }

        var nothing = ControlMessages.PatchMatchesNothing.Id;
        var first = undone.Find(f => f.Id != nothing) ?? undone[0];
        var place = first.Origin.Path.Length > 0 ? $"{first.Origin.Path}: " : "";
        var more = undone.Count > 1 ? string.Create(CultureInfo.InvariantCulture, $" ({undone.Count - 1} more)") : "";
        return new Condition(Condition.False, first.Id == nothing ? "MatchesNothing" : "NotRunnable", $"{place}{first.Fact}{more}");
    }

    /// <summary>Forgets objects that are gone.</summary>
    public void Keep(IReadOnlySet<ObjectKey> keys)
    {
        foreach (var gone in _since.Keys.Where(key => !keys.Contains(key)).ToList())
        {
            _since.Remove(gone);
        }
    }

    private static Condition Accepted(TableEntry entry)
    {
        if (!entry.IsBroken)
        {
            return new Condition(Condition.True, "Valid", "The object is in force.");
        }

        var errors = entry.Diagnostics.Where(d => d.Severity == Severity.Error).ToList();
        var more = errors.Count > 1 ? string.Create(CultureInfo.InvariantCulture, $" ({errors.Count - 1} more)") : "";
        var instead = entry.GoodVersion.Length == 0 ? "It has no effect." : "Its last good version stays in force.";
        return new Condition(Condition.False, "Invalid", $"{errors.FirstOrDefault()?.Fact}{more} {instead}");
    }

    private static Condition Programmed(TableEntry entry, long since, IReadOnlyList<ProxyStatus> proxies)
    {
        if (entry.GoodVersion.Length == 0)
        {
            return new Condition(Condition.False, "Invalid", "No version of it has been right.");
        }

        if (proxies.Count == 0)
        {
            return new Condition(Condition.Unknown, "NoProxies", "No proxy is connected.");
        }

        var late = proxies.Where(p => !p.Types.All(t => Has(t, since))).ToList();
        var count = string.Create(CultureInfo.InvariantCulture, $"{proxies.Count - late.Count} of {proxies.Count} proxies run this version.");
        if (late.Count == 0)
        {
            return new Condition(Condition.True, "Programmed", count);
        }

        var refusal = late.SelectMany(p => p.Types.Where(t => t.Reason.Length > 0).Select(t => $"{p.Name} refused {t.Type}: {t.Reason}")).FirstOrDefault();
        var names = string.Join(", ", late.Take(NamedProxies).Select(p => p.Name)) + (late.Count > NamedProxies ? ", ..." : "");
        return refusal is null
            ? new Condition(Condition.False, "Pending", $"{count} Not yet: {names}.")
            : new Condition(Condition.False, "Rejected", $"{count} {refusal}");
    }

    /// <summary>Up to date, or confirmed after the object's version came into force.</summary>
    private static bool Has(TypeStatus type, long since) => type.State is TypeStatus.Synced or TypeStatus.NotSent || type.Acknowledged >= since;

    private long Since(TableEntry entry, long snapshot)
    {
        if (!_since.TryGetValue(entry.Key, out var known) || known.Version != entry.GoodVersion)
        {
            _since[entry.Key] = known = (entry.GoodVersion, snapshot);
        }

        return known.Since;
    }
}
