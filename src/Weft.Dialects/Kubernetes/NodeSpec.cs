// SPDX-License-Identifier: Apache-2.0

namespace Weft.Dialects.Kubernetes;

/// <summary>A node and where it stands: <c>region/zone/subzone</c>, empty where its labels do not say.</summary>
public sealed record NodeSpec(string Name, string Locality);
