// SPDX-License-Identifier: Apache-2.0

using System.Text.Json.Nodes;
using Weft.Kubernetes;

namespace Weft.Control.Injection;

/// <summary>Whether a pod gets a proxy, and because of what.</summary>
/// <param name="Inject">True if it does.</param>
/// <param name="Reason">A sentence for operators.</param>
public sealed record InjectionDecision(bool Inject, string Reason)
{
    private const string IstioSwitch = "sidecar.istio.io/inject";
    private const string IstioNamespaceSwitch = "istio-injection";
    private const string Revision = "istio.io/rev";
    private const string LinkerdSwitch = "linkerd.io/inject";

    private static readonly string[] _never = ["kube-system", "kube-public", "kube-node-lease", "local-path-storage"];

    /// <summary>Decides for a pod in a namespace. What the pod says beats what its namespace says.</summary>
    public static InjectionDecision For(JsonObject pod, JsonObject? ns)
    {
        ArgumentNullException.ThrowIfNull(pod);
        if (Impossible(pod, ns) is { } impossible)
        {
            return impossible;
        }

        var blocked = ns?.Label(IstioNamespaceSwitch) == "disabled";
        return PodSays(pod, blocked) ?? NamespaceSays(ns, blocked);
    }

    /// <summary>Decides for a pod in a file, whose namespace is not known: it gets a proxy unless it says no.</summary>
    public static InjectionDecision ForFile(JsonObject pod) =>
        Impossible(pod, null) ?? PodSays(pod, blocked: false) ?? new(true, "Nothing in the pod speaks against it.");

    private static InjectionDecision? Impossible(JsonObject pod, JsonObject? ns)
    {
        if (pod.Flag("spec", "hostNetwork") == true)
        {
            return new(false, "The pod uses the host's network, which a proxy cannot capture.");
        }

        var name = pod.Namespace() is { Length: > 0 } own ? own : ns?.Name() ?? "";
        return _never.Contains(name) ? new(false, $"Pods of namespace '{name}' never get a proxy.") : null;
    }

    private static InjectionDecision? PodSays(JsonObject pod, bool blocked)
    {
        // Istio's label is younger than its annotation of the same name, and wins.
        var istio = pod.Label(IstioSwitch) ?? pod.Annotation(IstioSwitch);
        if (istio is "false" or "n" or "no" or "off")
        {
            return new(false, $"The pod says '{IstioSwitch}: {istio}'.");
        }

        var linkerd = pod.Annotation(LinkerdSwitch);
        if (linkerd == "disabled")
        {
            return new(false, $"The pod says '{LinkerdSwitch}: disabled'.");
        }

        if (linkerd is "enabled" or "ingress")
        {
            return new(true, $"The pod says '{LinkerdSwitch}: {linkerd}'.");
        }

        if (istio is not ("true" or "y" or "yes" or "on") && pod.Label(Revision) is null)
        {
            return null;
        }

        return blocked
            ? new(false, $"The namespace's label '{IstioNamespaceSwitch}=disabled' overrules the pod.")
            : new(true, istio is null ? $"The pod has label '{Revision}'." : $"The pod says '{IstioSwitch}: {istio}'.");
    }

    private static InjectionDecision NamespaceSays(JsonObject? ns, bool blocked)
    {
        if (blocked)
        {
            return ns!.Annotation(LinkerdSwitch) is "enabled" or "ingress"
                ? new(true, $"The namespace says '{LinkerdSwitch}: enabled'.")
                : new(false, $"The namespace has label '{IstioNamespaceSwitch}=disabled'.");
        }

        if (ns?.Label(IstioNamespaceSwitch) == "enabled")
        {
            return new(true, $"The namespace has label '{IstioNamespaceSwitch}=enabled'.");
        }

        if (ns?.Label(Revision) is { Length: > 0 } revision)
        {
            return new(true, $"The namespace has label '{Revision}={revision}'.");
        }

        return ns?.Annotation(LinkerdSwitch) is "enabled" or "ingress"
            ? new(true, $"The namespace says '{LinkerdSwitch}: enabled'.")
            : new(false, "Neither the pod nor its namespace asks for a proxy.");
    }
}
