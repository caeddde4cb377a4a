// SPDX-License-Identifier: Apache-2.0

using Weft.Model;
using Weft.Model.World;

namespace Weft.Dialects.Kubernetes;

/// <summary>A namespace with what decides about injection.</summary>
public sealed record NamespaceSpec(string Name, EquatableArray<Label> Labels, EquatableArray<Label> Annotations);
