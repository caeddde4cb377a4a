// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using System.Text.Json.Nodes;
using Weft.Control.Injection;
using Weft.Kubernetes;
using Weft.Model.Diagnostics;

namespace Weft.Control.Analysis;

/// <summary>Pods and the templates they come from.</summary>
internal static class WorkloadAnalysis
{
    private const long ProxyUser = 1337;
    private const string Auto = "auto";
    private static readonly string[] _proxies = [SidecarInjector.ContainerName, "istio-proxy", "istio-operator"];

    public static IEnumerable<Diagnostic> Run(AnalysisInput input)
    {
        foreach (var item in input.Of("Pod", "Deployment", "StatefulSet", "DaemonSet"))
        {
            if (item.PodTemplate is not { } pod)
            {
                continue;
            }

            // What comes from a template is said of the template.
            var users = item.Json["metadata"]?["ownerReferences"] is null ? Users(item, pod) : [];
            foreach (var finding in users.Concat(Images(input, item, pod)))
            {
                yield return finding;
            }

            if (item.IsLive && item.Kind == "Pod" && Unmeshed(input, item) is { } unmeshed)
            {
                yield return unmeshed;
            }
        }
    }

    private static Diagnostic? Unmeshed(AnalysisInput input, AnalysisSubject pod)
    {
        var decision = InjectionDecision.For(pod.Json, input.NamespaceOf(pod));
        var hasProxy = pod.Json.Objects("spec", "containers").Concat(pod.Json.Objects("spec", "initContainers"))
            .Any(c => _proxies.Contains(c.Text("name"), StringComparer.Ordinal));
        var hasEnded = pod.Json.Text("status", "phase") is "Succeeded" or "Failed";
        return decision.Inject && !hasProxy && !hasEnded
            ? KubernetesMessages.PodWithoutProxy.At(pod.Parsed.Origin, char.ToLowerInvariant(decision.Reason[0]) + decision.Reason[1..].TrimEnd('.'))
            : null;
    }

    private static IEnumerable<Diagnostic> Users(AnalysisSubject item, JsonObject pod)
    {
        string[] prefix = item.Kind == "Pod" ? ["spec"] : ["spec", "template", "spec"];
        if (pod.Number("spec", "securityContext", "runAsUser") == ProxyUser)
        {
            yield return KubernetesMessages.ReservedUser.At(item.At([.. prefix, "securityContext", "runAsUser"]), Number(ProxyUser));
        }

        var index = 0;
        foreach (var container in pod.Objects("spec", "containers"))
        {
            if (container.Number("securityContext", "runAsUser") == ProxyUser && !_proxies.Contains(container.Text("name"), StringComparer.Ordinal))
            {
                yield return KubernetesMessages.ReservedUser.At(
                    item.At([.. prefix, "containers", Number(index), "securityContext", "runAsUser"]), Number(ProxyUser));
            }

            index++;
        }
    }

    private static IEnumerable<Diagnostic> Images(AnalysisInput input, AnalysisSubject item, JsonObject pod)
    {
        var named = pod.Objects("spec", "containers").FirstOrDefault(c => c.Text("image") == Auto);
        if (named is null)
        {
            yield break;
        }

        var container = named.Text("name") ?? "";
        if (item.Kind == "Pod")
        {
            yield return KubernetesMessages.PodImageAuto.At(item.Parsed.Origin, container);
        }
        else if (!InjectionDecision.For(pod, input.NamespaceOf(item)).Inject)
        {
            yield return KubernetesMessages.ImageAutoWithoutInjection.At(item.Parsed.Origin, container);
        }
    }

    private static string Number(long number) => number.ToString(CultureInfo.InvariantCulture);
}
