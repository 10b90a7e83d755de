/** The query of the public gateway benchmark: 16 fetches, an answer of about 87 KB. */
export const LARGE_QUERY = `
  fragment User on User { id username name }
  fragment Review on Review { id body }
  fragment Product on Product { inStock name price shippingEstimate upc weight }
  query TestQuery {
    users {
      ...User
      reviews {
        ...Review
        product {
          ...Product
          reviews { ...Review author { ...User reviews { ...Review product { ...Product } } } }
        }
      }
    }
    topProducts {
      ...Product
      reviews { ...Review author { ...User reviews { ...Review product { ...Product } } } }
    }
  }`;

/** Two fetches. */
export const SMALL_QUERY = 'query Small { user(id: "2") { id name reviews { id } } }';
