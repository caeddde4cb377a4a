// SPDX-License-Identifier: Apache-2.0

using Weft.Dialects.Reading;
using Weft.Dialects.Yaml;
using Weft.Model.Diagnostics;

namespace Weft.Dialects.Kubernetes;

/// <summary>Checks what a pod says about its containers.</summary>
internal static class PodSpecs
{
    public static void Check(ObjectReader spec)
    {
        if (spec.Required("containers") is { Value: YamlSequence { Items.Count: 0 } } empty)
        {
            empty.Report(ReadingMessages.EmptyList, empty.Path);
        }

        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (var container in spec.Children("containers").Concat(spec.Children("initContainers")))
        {
            Containers.Check(container, names);
        }

        spec.Text("serviceAccountName");
        spec.Text("hostname");
        spec.Boolean("hostNetwork");
        spec.Ignore(
            "activeDeadlineSeconds", "affinity", "automountServiceAccountToken", "dnsConfig", "dnsPolicy", "enableServiceLinks",
            "ephemeralContainers", "hostAliases", "hostIPC", "hostPID", "hostUsers", "imagePullSecrets", "nodeName", "nodeSelector",
            "os", "overhead", "preemptionPolicy", "priority", "priorityClassName", "readinessGates", "resourceClaims", "resources",
            "restartPolicy", "runtimeClassName", "schedulerName", "schedulingGates", "securityContext", "serviceAccount",
            "setHostnameAsFQDN", "shareProcessNamespace", "subdomain", "terminationGracePeriodSeconds", "tolerations",
            "topologySpreadConstraints", "volumes");
        spec.Finish(KubernetesMessages.UnknownKubernetesField);
    }
}
