// SPDX-License-Identifier: Apache-2.0

using System.Collections.Concurrent;
using System.Globalization;
using System.Text.Json.Nodes;
using Weft.Kubernetes;

namespace Weft.Local.Controllers;

/// <summary>The objects of one kind as the controllers know them: what the watch has brought, and what they wrote themselves since.</summary>
/// <remarks>
/// A watch lags behind writes; a controller that read only the watch would make a pod twice. Resource versions only grow, so of two
/// states of one object the newer is known. Objects are shared: clone before changing one.
/// </remarks>
internal sealed class Mirror
{
    private readonly KubernetesClient _client;
    private readonly ConcurrentDictionary<ObjectKey, Written> _written = new();

    public Mirror(KubernetesClient client, Informer informer)
    {
        _client = client;
        Watched = informer;
        informer.Changed += change =>
        {
            var key = ObjectKey.Of(change.Object);
            if (_written.TryGetValue(key, out var written) && HasArrived(written, Watched.Find(key.Namespace, key.Name)))
            {
                _written.TryRemove(KeyValuePair.Create(key, written));
            }
        };
    }

    public Informer Watched { get; }

    public ResourceKind Kind => Watched.Kind;

    /// <summary>Everything of the kind.</summary>
    public List<JsonObject> All => Known(_ => true);

    public List<JsonObject> In(string ns) => Known(key => key.Namespace == ns);

    public JsonObject? Find(ObjectKey key)
    {
        var seen = Watched.Find(key.Namespace, key.Name);
        if (!_written.TryGetValue(key, out var written))
        {
            return seen;
        }

        if (!HasArrived(written, seen))
        {
            return written.Object;
        }

        _written.TryRemove(KeyValuePair.Create(key, written));
        return seen;
    }

    public async Task<JsonObject> CreateAsync(JsonObject body, CancellationToken ct) =>
        Remember(await _client.CreateAsync(Kind, body.Namespace(), body, ct));

    public async Task<JsonObject> UpdateAsync(JsonObject body, CancellationToken ct) =>
        Remember(await _client.UpdateAsync(Kind, body.Namespace(), body, ct));

    /// <summary>Applies a merge patch.</summary>
    public async Task<JsonObject> PatchAsync(JsonObject target, JsonObject patch, CancellationToken ct) =>
        Remember(await _client.PatchAsync(Kind, target.Namespace(), target.Name(), patch, ct));

    public async Task<JsonObject> PatchStatusAsync(JsonObject target, JsonObject status, CancellationToken ct) =>
        Remember(await _client.PatchStatusAsync(Kind, target.Namespace(), target.Name(), new JsonObject { ["status"] = status }, ct));

    /// <summary>Makes this the object's whole status, if it says something new. The answer is the object as it is then.</summary>
    public async Task<JsonObject> WriteStatusAsync(JsonObject target, JsonObject status, CancellationToken ct)
    {
        var present = target.Find("status") as JsonObject;
        if (present is not null && SafeNames.Canonical(present) == SafeNames.Canonical(status))
        {
            return target;
        }

        // A merge patch keeps what it does not name, at every depth.
        var patch = (JsonObject)status.DeepClone();
        Blank(patch, present);
        return await PatchStatusAsync(target, patch, ct);
    }

    /// <summary>False if it was gone already. Only this very object is deleted, not another of its name.</summary>
    public async Task<bool> DeleteAsync(JsonObject target, CancellationToken ct, string? policy = null)
    {
        var uid = target.Uid();
        var options = new JsonObject { ["apiVersion"] = "v1", ["kind"] = "DeleteOptions", ["preconditions"] = new JsonObject { ["uid"] = uid } };
        if (policy is not null)
        {
            options["propagationPolicy"] = policy;
        }

        try
        {
            var answer = await _client.DeleteAsync(Kind, target.Namespace(), target.Name(), options, ct);
            var remains = answer.Uid() == uid && Owners.IsBeingDeleted(answer) ? answer : null;
            _written[ObjectKey.Of(target)] = new Written(remains, uid, long.MaxValue);
            return true;
        }
        catch (KubernetesException gone) when (gone.IsNotFound || gone.IsConflict)
        {
            _written[ObjectKey.Of(target)] = new Written(null, uid, long.MaxValue);
            return false;
        }
    }

    private static long Version(JsonObject source) =>
        long.TryParse(source.ResourceVersion(), NumberStyles.None, CultureInfo.InvariantCulture, out var version) ? version : 0;

    private static void Blank(JsonObject patch, JsonObject? present)
    {
        foreach (var (field, value) in present ?? [])
        {
            if (!patch.ContainsKey(field))
            {
                patch[field] = null;
            }
            else if (patch[field] is JsonObject inner)
            {
                Blank(inner, value as JsonObject);
            }
        }
    }

    private List<JsonObject> Known(Func<ObjectKey, bool> where)
    {
        var known = new List<JsonObject>();
        foreach (var seen in Watched.Items)
        {
            var key = ObjectKey.Of(seen);
            if (where(key) && (_written.IsEmpty ? seen : Find(key)) is { } item)
            {
                known.Add(item);
            }
        }

        foreach (var key in _written.Keys)
        {
            if (where(key) && Watched.Find(key.Namespace, key.Name) is null && Find(key) is { } item)
            {
                known.Add(item);
            }
        }

        return known;
    }

    private JsonObject Remember(JsonObject written)
    {
        written["apiVersion"] ??= Kind.ApiVersion;
        written["kind"] ??= Kind.Kind;
        var next = new Written(written, written.Uid(), Version(written));
        _written.AddOrUpdate(
            ObjectKey.Of(written),
            next,
            (_, other) => other.Uid == next.Uid && other.Version >= next.Version ? other : next);
        return written;
    }

    private bool HasArrived(Written written, JsonObject? seen)
    {
        if (written.Version == long.MaxValue)
        {
            return seen is null || seen.Uid() != written.Uid || Owners.IsBeingDeleted(seen);
        }

        return (seen is not null && Version(seen) >= written.Version)
            || (long.TryParse(Watched.ResourceVersion, NumberStyles.None, CultureInfo.InvariantCulture, out var version) && version >= written.Version);
    }

    /// <param name="Object">Null for one that is gone.</param>
    /// <param name="Version">The largest number for a deletion: it outlasts every other write.</param>
    private sealed record Written(JsonObject? Object, string Uid, long Version);
}
