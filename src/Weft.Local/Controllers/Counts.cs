// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;

namespace Weft.Local.Controllers;

/// <summary>The numbers of a status. Zeros are left out, as Kubernetes does; kubectl prints them as 0.</summary>
internal static class Counts
{
    public static JsonObject Of(params ReadOnlySpan<(string Name, long Count)> counts)
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
}
