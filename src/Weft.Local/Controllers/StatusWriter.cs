// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Weft.Kubernetes;

namespace Weft.Local.Controllers;

/// <summary>Writes a status if it says something new.</summary>
internal static class StatusWriter
{
    /// <summary>Zero counts are left out, as Kubernetes does; kubectl prints them as 0.</summary>
    public static JsonObject Counts(params ReadOnlySpan<(string Name, long Count)> counts)
    {
        var status = new JsonObject();
        foreach (var (name, count) in counts)
        {
            if (count != 0)
            {
                status[name] = count;
            }
        }

        return status;
    }

    /// <summary>True if something was written.</summary>
    public static async Task<bool> WriteAsync(
        KubernetesClient client, ResourceKind kind, JsonObject source, JsonObject status, CancellationToken ct)
    {
        var present = source.Find("status") as JsonObject;
        if (present is not null && SafeNames.Canonical(present) == SafeNames.Canonical(status))
        {
            return false;
        }

        foreach (var (field, _) in present ?? [])
        {
            if (!status.ContainsKey(field))
            {
                // A merge patch keeps what it does not name.
                status[field] = null;
            }
        }

        await client.PatchStatusAsync(kind, source.Namespace(), source.Name(), new JsonObject { ["status"] = status }, ct);
        return true;
    }
}
