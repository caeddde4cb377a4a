// SPDX-License-Identifier: Apache-2.0

using Weft.Model.Diagnostics;

namespace Weft.Dialects.Reading;

/// <summary>A place in an object: the field's path and where it stands.</summary>
internal readonly record struct Place(string Path, Position Position);
