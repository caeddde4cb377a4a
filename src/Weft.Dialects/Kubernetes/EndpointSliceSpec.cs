// SPDX-License-Identifier: Apache-2.0

using Weft.Model;

namespace Weft.Dialects.Kubernetes;

/// <summary>A part of a service's endpoints, as an EndpointSlice lists them; pods are named, not resolved.</summary>
/// <param name="Namespace">Of the slice and of its service.</param>
/// <param name="Name">Of the slice.</param>
/// <param name="Service">From the label <c>kubernetes.io/service-name</c>; empty if it belongs to none.</param>
/// <param name="Ports">By the name of the service's port.</param>
/// <param name="Endpoints">Each serves every port.</param>
public sealed record EndpointSliceSpec(
    string Namespace,
    string Name,
    string Service,
    EquatableArray<EndpointSlicePort> Ports,
    EquatableArray<SliceEndpoint> Endpoints);

/// <summary>A port's name (empty for a single unnamed port) and number.</summary>
public sealed record EndpointSlicePort(string Name, int Port);

/// <summary>One endpoint: its address, whether it takes traffic, and its pod (empty if it is none).</summary>
public sealed record SliceEndpoint(string Address, bool Ready, string Pod);
