// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Weft.Kubernetes;
using Weft.Model.World;

namespace Weft.Local.Controllers.Gateways;

/// <summary>What a standard gateway is made of: the names, labels and ports that Istio's installation has.</summary>
internal static class GatewayObjects
{
    private const string Rbac = "rbac.authorization.k8s.io";

    private static readonly ResourceKind _role = new(Rbac, "v1", "roles", "Role", true, "role", []);
    private static readonly ResourceKind _binding = new(Rbac, "v1", "rolebindings", "RoleBinding", true, "rolebinding", []);

    /// <summary>The Deployment is the last: as long as it is not there, the rest is not in use.</summary>
    public static IEnumerable<(ResourceKind Kind, JsonObject Body)> Of(StandardGateway gateway)
    {
        yield return (Kinds.ServiceAccount, Parse(gateway, $$$"""{ {{{Head("ServiceAccount", "v1", "-service-account")}}} }"""));

        // The proxy gets the Secrets that Gateways name as its account may list them.
        yield return (_role, Parse(gateway, $$$"""
            { {{{Head("Role", Rbac + "/v1", "-sds")}}}, "rules": [{"apiGroups": [""], "resources": ["secrets"], "verbs": ["get", "watch", "list"]}] }
            """));
        yield return (_binding, Parse(gateway, $$$"""
            { {{{Head("RoleBinding", Rbac + "/v1", "-sds")}}}, "roleRef": {"apiGroup": "{{{Rbac}}}", "kind": "Role", "name": "NAME-sds"},
              "subjects": [{"kind": "ServiceAccount", "name": "NAME-service-account"}] }
            """));
        yield return (Kinds.Service, Parse(gateway, $$$"""
            { {{{Head("Service", "v1", "")}}}, "spec": {"type": "{{{(IsIngress(gateway) ? "LoadBalancer" : "ClusterIP")}}}", "selector": {LABELS}, "ports": [
              {{{(IsIngress(gateway) ? IngressPorts : EgressPorts)}}}]} }
            """));
        yield return (Kinds.Deployment, Parse(gateway, $$$"""
            { {{{Head("Deployment", "apps/v1", "")}}}, "spec": {"selector": {"matchLabels": {LABELS}}, "template": {
              "metadata": {"labels": {LABELS, "sidecar.istio.io/inject": "true"}, "annotations": {"inject.istio.io/templates": "gateway"}},
              "spec": {"serviceAccountName": "NAME-service-account", "containers": [{"name": "istio-proxy", "image": "auto"}]} } } }
            """));
    }

    private const string EgressPorts = """
        {"name": "http2", "port": 80, "targetPort": 8080}, {"name": "https", "port": 443, "targetPort": 8443}
        """;

    private const string IngressPorts = EgressPorts + """
        , {"name": "status-port", "port": 15021, "targetPort": 15021}, {"name": "tcp", "port": 31400, "targetPort": 31400},
          {"name": "tls", "port": 15443, "targetPort": 15443}
        """;

    private static bool IsIngress(StandardGateway gateway) => gateway.Role == "ingressgateway";

    private static string Head(string kind, string version, string suffix) => $$$"""
        "apiVersion": "{{{version}}}", "kind": "{{{kind}}}", "metadata": {"name": "NAME{{{suffix}}}", "namespace": "{{{StandardGateway.Namespace}}}", "labels": {LABELS}}
        """;

    private static JsonObject Parse(StandardGateway gateway, string text)
    {
        var labels = string.Join(',', gateway.Labels.Select(label => $"\"{label.Key}\": \"{label.Value}\""));
        return JsonNode.Parse(text
            .Replace("LABELS", labels, StringComparison.Ordinal)
            .Replace("NAME", gateway.Name, StringComparison.Ordinal))!.AsObject();
    }
}
