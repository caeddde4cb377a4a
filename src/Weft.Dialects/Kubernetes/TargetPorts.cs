// SPDX-License-Identifier: Apache-2.0

using System.Globalization;
using Weft.Model.World;

namespace Weft.Dialects.Kubernetes;

/// <summary>Finds the port of a workload that a service's port leads to.</summary>
public static class TargetPorts
{
    /// <summary>The number, or null if the workload has no port of the name that is written.</summary>
    public static int? Resolve(ServicePort port, Workload workload)
    {
        if (int.TryParse(port.TargetPort, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
        {
            return number;
        }

        foreach (var candidate in workload.Ports)
        {
            if (string.Equals(candidate.Name, port.TargetPort, StringComparison.Ordinal))
            {
                return candidate.Port;
            }
        }

        return null;
    }
}
