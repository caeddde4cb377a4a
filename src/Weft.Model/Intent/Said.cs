// SPDX-License-Identifier: Apache-2.0

using Weft.Model.Diagnostics;

namespace Weft.Model.Intent;

/// <summary>A block of a policy and where it was written.</summary>
public sealed record Said<T>(T Value, Origin Origin);
