// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Weft.Dialects;
using Weft.Kubernetes;

namespace Weft.Cli.Asking;

/// <summary>Every object of a running API server that a dialect reads.</summary>
internal static class LiveObjects
{
    public static async Task<List<ParsedObject>> ReadAsync(KubernetesClient client, CancellationToken ct)
    {
        var found = new List<ParsedObject>();
        foreach (var kind in Kinds.All.Where(kind => Dialects.Dialects.FindKind(kind.ApiVersion, kind.Kind) is not null))
        {
            JsonObject list;
            try
            {
                list = await client.ListAsync(kind, null, null, ct);
            }
            catch (KubernetesException missing) when (missing.IsNotFound)
            {
                // A kind that this API server does not have has no objects.
                continue;
            }

            foreach (var item in list.Objects("items"))
            {
                // Items of lists do not say what they are.
                var named = (JsonObject)item.DeepClone();
                named["apiVersion"] = kind.ApiVersion;
                named["kind"] = kind.Kind;
                found.Add(Dialects.Dialects.ParseObject(named));
            }
        }

        return found;
    }
}
