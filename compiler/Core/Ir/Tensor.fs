/// Arrays of float64, row-major: the values of the reference interpreter. Truth values are 0 and 1.
module internal DiffEqLang.Compiler.Ir.Tensor

[<CustomEquality; NoComparison>]
type Tensor =
    { Shape: int[]
      Data: float[] }

    override this.Equals other =
        match other with
        | :? Tensor as t -> this.Shape = t.Shape && this.Data = t.Data
        | _ -> false

    override this.GetHashCode() = hash this.Shape

let scalar (x: float) = { Shape = [||]; Data = [| x |] }
