// SPDX-License-Identifier: Apache-2.0

using System.Diagnostics.CodeAnalysis;
using Envoy.Config.Core.V3;
using Google.Protobuf.WellKnownTypes;
using Weft.Control.Authority;
using Weft.Model;
using Weft.Model.World;

namespace Weft.Control.Serving;

/// <summary>What a proxy calls itself: <c>type~address~pod.namespace~namespace.svc.domain</c>.</summary>
public sealed record NodeId(string Type, string Address, string Pod, string Namespace)
{
    /// <summary>True for a proxy at the mesh's edge, which Istio calls a router.</summary>
    public bool IsGateway => Type == "router";

    /// <summary>As people call the proxy: <c>pod.namespace</c>.</summary>
    public string ProxyName => $"{Pod}.{Namespace}";

    public static bool TryParse(string text, [NotNullWhen(true)] out NodeId? id)
    {
        id = null;
        if (text.Split('~') is not [{ Length: > 0 } type, var address, var name, _])
        {
            return false;
        }

        // A pod's name may have dots, a namespace's may not.
        var dot = name.LastIndexOf('.');
        if (dot <= 0 || dot == name.Length - 1)
        {
            return false;
        }

        id = new NodeId(type, address, name[..dot], name[(dot + 1)..]);
        return true;
    }

    /// <summary>Why the caller may not be this proxy; null if it may. A proxy may only claim its own namespace, account and pod.</summary>
    /// <param name="caller">As its token says.</param>
    /// <param name="node">As it says itself.</param>
    /// <param name="accountOfPod">The service account of the pod of that name; null if the API has no such pod (yet).</param>
    public string? Refuse(CallerIdentity caller, Node node, string? accountOfPod)
    {
        ArgumentNullException.ThrowIfNull(caller);
        ArgumentNullException.ThrowIfNull(node);
        if (Namespace != caller.Id.Namespace || Claim(node, "namespace", "NAMESPACE") is { } ns && ns != caller.Id.Namespace)
        {
            return $"The proxy claims namespace '{Claim(node, "namespace", "NAMESPACE") ?? Namespace}', but its token belongs to '{caller.Id}'.";
        }

        if (caller.Pod.Length > 0 && caller.Pod != Pod)
        {
            return $"The proxy claims to be pod '{Pod}', but its token is bound to pod '{caller.Pod}'.";
        }

        var account = Claim(node, "serviceAccount", "SERVICE_ACCOUNT") ?? accountOfPod;
        if (account is not null && account != caller.Id.ServiceAccount)
        {
            return $"The proxy claims service account '{account}', but its token belongs to '{caller.Id}'.";
        }

        return accountOfPod is not null && accountOfPod != caller.Id.ServiceAccount
            ? $"Pod '{Pod}' runs as service account '{accountOfPod}', but the token belongs to '{caller.Id}'."
            : null;
    }

    /// <summary>A text of the node's metadata, under our name or Istio's.</summary>
    public static string? Claim(Node node, string name, string istioName)
    {
        var fields = node.Metadata?.Fields;
        if (fields is null)
        {
            return null;
        }

        var value = fields.TryGetValue(name, out var own) ? own : fields.TryGetValue(istioName, out var other) ? other : null;
        return value is { KindCase: Value.KindOneofCase.StringValue, StringValue.Length: > 0 } ? value.StringValue : null;
    }

    /// <summary>The pod's labels, as the proxy was told them.</summary>
    public static EquatableArray<Label> Labels(Node node)
    {
        ArgumentNullException.ThrowIfNull(node);
        var fields = node.Metadata?.Fields;
        if (fields is null || !(fields.TryGetValue("labels", out var value) || fields.TryGetValue("LABELS", out value))
            || value.KindCase != Value.KindOneofCase.StructValue)
        {
            return [];
        }

        return
        [
            .. from label in value.StructValue.Fields
               where label.Value.KindCase == Value.KindOneofCase.StringValue
               orderby label.Key
               select new Label(label.Key, label.Value.StringValue),
        ];
    }
}
