// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Weft.Kubernetes;

namespace Weft.Local.Controllers;

/// <summary>Where each kind keeps its selector.</summary>
internal static class Selectors
{
    /// <summary>Services and ReplicationControllers have a plain map, the others the structured form.</summary>
    public static Selector Of(JsonObject owner) => owner.Kind() is "Service" or "ReplicationController"
        ? Selector.FromMap(owner.Find("spec", "selector"))
        : Selector.Parse(owner.Find("spec", "selector"));
}
